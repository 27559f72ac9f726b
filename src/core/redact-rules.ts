/**
 * The shapes that secrets have in text and source: patterns alone, each linear in the length of the text (what repeats
 * begins where a word begins, or is bounded). What is done with what they find is `redact.ts`'s to say, and
 * templates/python/mlops/_redact.py has the same; a test compares.
 */

/** What a program fills in later (`{token}`, `$TOKEN`, `%s`, `<token>`), or was taken out already. */
const FILLED = '(?:[{$<…]|%[sd(]|\\[redacted\\])'
const NAME = '([A-Za-z_][\\w.-]{0,99})'
/** The end of a line, also in a patch, behind a backslash, and between two strings of a notebook's JSON. */
const NEXT_LINE = '(?:\\\\?\\r?\\n[+-]?[ \\t]*|\\\\n",?[ \\t]*\\r?\\n[+-]?[ \\t]*"[ \\t]*)'
/** A literal with its prefix (`b"…"`, `f'…'`, `"""…"""`), also with the escaped quotes that it has within JSON. */
const LITERAL =
  '[rRbBuUfF]{0,2}(?:"""[\\s\\S]{3,8000}?"""|\'\'\'[\\s\\S]{3,8000}?\'\'\'' +
  '|\\\\"(?:\\\\\\\\\\\\.|\\\\\\\\[^\\\\\\n]|\\\\[^"\\\\\\n]|[^"\\\\\\n]){3,}\\\\"' +
  '|"(?:\\\\.|[^"\\\\\\n]){3,}"|\'(?:\\\\.|[^\'\\\\\\n]){3,}\')'
const TYPE = '[\\w.]{1,60}(?:\\[[\\w., |\\[\\]]{0,60}\\])?(?:[ \\t]*\\|[ \\t]*[\\w.]{1,60}){0,4}'
/** `NAME = `, `"NAME": `, `NAME: str = `, `env["NAME"] ?? `, up to where the value begins. */
const ASSIGNED = `(?<![\\w.-])-{0,2}${NAME}\\\\{0,3}["']?\\]?[?!]?(?:[ \\t]*:[ \\t]*${TYPE}(?=[ \\t]*=))?[ \\t]*(?::=|=>|<-|=|:|\\|\\||\\?\\?)[ \\t]*`
const CALL = '(?:(?:pydantic\\.)?(?:SecretStr|SecretBytes|Secret|Field|field|str|bytes))?\\('

/** The name is group 2, the literals are group 3: these are told from what is no secret by `redact.ts`. */
export const NAMED_LITERALS: readonly RegExp[] = [
  // password = ("…"), also of several lines, and SecretStr("…")
  new RegExp(
    `(${ASSIGNED}${CALL}[ \\t]*${NEXT_LINE}?(?:default[ \\t]*=[ \\t]*)?)(${LITERAL}(?:[ \\t]*${NEXT_LINE}?${LITERAL}){0,50})`,
    'g',
  ),
  // What stands below `def f(token: Token):` is a docstring.
  new RegExp(`(${ASSIGNED}(?:${NEXT_LINE}(?![rR]?(?:"""|''')))?)(${LITERAL})(?![ \\t]*:)`, 'g'),
  // getenv("NAME", "…"), environ.get("NAME") or "…", setdefault, add_header
  new RegExp(
    `(\\b(?:get|getenv|setdefault|putenv|setenv|set|add_header)\\([ \\t]*\\\\?["']${NAME}\\\\?["'][ \\t]*(?:,[ \\t]*(?:default[ \\t]*=[ \\t]*)?|\\)[ \\t]*or[ \\t]+))(${LITERAL})`,
    'g',
  ),
  // add_argument("--api-key", …, default="…")
  new RegExp(
    `(["']--?${NAME}\\\\?["'],(?:(?!["']-|\\)[ \\t]*\\n)[\\s\\S]){0,300}?\\bdefault[ \\t]*=[ \\t]*)(${LITERAL})`,
    'g',
  ),
  // ["--password", "…"]
  new RegExp(`(["']--${NAME}\\\\?["'],[ \\t]*)(?!\\\\?["']-)(\\\\?["'][^\\s"'\\\\]{3,}\\\\?["'])`, 'g'),
]

/** Replaced by group 1 and the sign that something was here. */
export const HEADED: readonly RegExp[] = [
  new RegExp(
    '([?&](?:[a-z0-9]+[-_.])*(?:token|sig|signature|passw(?:or)?d|pwd|secret|credentials?|auth|jwt' +
      `|(?:api|access|account|private|secret)[-_]?key|(?:access)?keyid)=)(?!${FILLED})[^&#\\s"'<>\\\\]+`,
    'gi',
  ),
  // Channels of conda: /t/TOKEN/channel. Forums have /t/title-of-a-thread/123.
  new RegExp(
    `(://[^\\s"'<>/?#]{1,255}/(?:[^\\s"'<>?#]{0,200}/)?t/)(?!${FILLED})(?![^\\s"'<>/?#]{1,300}/\\d+(?![\\w.-]))[^\\s"'<>/?#]+(?=/)`,
    'g',
  ),
  new RegExp(
    `(\\bauthorization\\\\?["']?\\s{0,20}[:=,]\\s{0,20}[rbuf]{0,2}\\\\?["']?(?:bearer|basic|token|apikey|bot)[ \\t]+)(?!${FILLED})[^\\s"'\\\\]+`,
    'gi',
  ),
  new RegExp(
    `(\\bauthorization\\\\?["']\\s{0,20}[:,]\\s{0,20}[rbuf]{0,2}\\\\?["'])(?!${FILLED})[^\\s"'\\\\]{8,}(?=\\\\?["'])`,
    'gi',
  ),
  /(\bBearer[ \t]+)(?=[^\s"'\\]{0,200}\d)[A-Za-z0-9._~+/=-]{16,}/g,
  // auth=("user", "…"), HTTPBasicAuth("user", "…")
  new RegExp(
    `((?:\\b\\w{0,20}auth|\\bcredentials|\\blogin)[ \\t]*(?:=[ \\t]*)?[(\\[][ \\t]*[^,()\\[\\]\\n]{1,100},[ \\t]*)(?![rbuf]{0,2}\\\\?["']${FILLED})${LITERAL}(?=[ \\t]*[)\\]])`,
    'gi',
  ),
  // curl -u name:… and ["-u", "name:…"]; -u 1000:1000 is a user and a group
  new RegExp(
    `((?<![\\w-])(?:-u|-U|--user|--proxy-user|--http-user)(?:[ \\t=]{1,4}|\\\\?["'],[ \\t]*)\\\\?["']?[^\\s:/"'\\\\$({]{1,64}:)(?!\\d+(?![^\\s"'])|[/\\\\\u2026]|${FILLED})[^\\s"'\\\\]{3,}`,
    'g',
  ),
  new RegExp(`(\\bwandb\\.login\\([^)\\n]{0,100}?key[ \\t]*=[ \\t]*\\\\?["'])(?!${FILLED})[^\\s"'\\\\]{3,}`, 'g'),
  new RegExp(`(\\bsshpass["',\\s]{1,6}-p["',\\s]{0,6})(?!${FILLED})[^\\s"'\\\\]+`, 'g'),
  new RegExp(`(\\bredis-cli[^\\n|;&]{0,300}?[ \\t"']-a["',\\s]{1,6})(?!${FILLED})[^\\s"'\\\\]+`, 'g'),
  new RegExp(
    `(\\b(?:mysql|mysqldump|mysqladmin|mariadb)(?![\\w.+:/-])[^\\n|;&]{0,300}?[ \\t"']-p)(?!${FILLED})[^\\s"'\\\\,]{3,}`,
    'g',
  ),
  new RegExp(`(\\bmachine[ \\t]+\\S{1,255}[ \\t]+login[ \\t]+\\S{1,255}[ \\t]+password[ \\t]+)(?!${FILLED})\\S+`, 'g'),
  /(\bdiscord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/)\d[A-Za-z0-9/_-]+/g,
  /(\bapi\.telegram\.org\/(?:file\/)?bot)\d[^\s/"'\\]*/g,
  /(\bhooks\.slack\.com\/(?:services|workflows|triggers)\/)[A-Za-z0-9/_-]+/g,
  /(\bwebhook\.office\.com\/webhookb2\/)[A-Za-z0-9@/_-]+/g,
]

/** The name is group 2, the value group 3: values of one word within a string or a command. */
export const NAMED_WORDS: readonly RegExp[] = [
  // "AccountName=…;AccountKey=…;", "password=… host=…"
  new RegExp(`((?<=[;"'])[ \\t]*${NAME}=)(?!${FILLED})([^\\s;"'\\\\,()\\[\\]{}&]{3,})(?=[;"'\\\\ &,]|$)`, 'gm'),
  // "host=… password=… dbname=…", docker run -e PASSWORD=…
  new RegExp(
    `((?<=[^\\s,;(=:])[ \\t]+${NAME}=)(?!${FILLED})([^\\s;"'\\\\,()\\[\\]{}\`]{3,})(?=[ \\t"'\\\\]|\\r?$)`,
    'gm',
  ),
  // PASSWORD=…, api_key: … to the end of the line, as in dot-env and YAML files
  new RegExp(
    `^([+ -]?[ \\t]*(?:- )?(?:export[ \\t]+)?${NAME}(?:=|:[ \\t]+))(?!["'\\s]|${FILLED})([^\\s()\\[\\]{},;]{6,})(?=[ \\t]*(?:#[^\\n]*)?\\r?$)`,
    'gm',
  ),
  // PGPASSWORD=… psql
  new RegExp(
    `^([+ -]?[ \\t]*(?:export[ \\t]+)?([A-Z_][A-Z0-9_]{0,99})=)(?!${FILLED})([^\\s"'()\\[\\]{},;&]{6,})(?=[ \\t;&])`,
    'gm',
  ),
  // ENV API_KEY … of a Dockerfile, %env of a notebook
  new RegExp(`^([+ -]?[ \\t]*["']?(?:ENV|%env|setenv)[ \\t]+${NAME}[ \\t]+)(?![=]|${FILLED})([^\\s"'\\\\]{3,})`, 'gm'),
  // password = … of an INI file: in code that would be an expression, and few of those hold a digit
  new RegExp(
    `^([+-]?${NAME}[ \\t]+=[ \\t]+)(?=[^\\s\\d]{0,99}\\d)(?!${FILLED})([^\\s"'\`()\\[\\]{},;]{8,})(?=[ \\t]*\\r?$)`,
    'gm',
  ),
]

/** Replaced as a whole: tokens that announce themselves by their prefix, whoever wrote them wherever. */
export const TOKENS = new RegExp(
  [
    '\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b', // AWS access key id
    '\\bgh[pousr]_[A-Za-z0-9]{30,}\\b',
    '\\bgithub_pat_[A-Za-z0-9_]{20,}\\b',
    '\\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{16,}',
    '\\bxox[abeoprs]-[A-Za-z0-9-]{10,}', // Slack
    '\\bxapp-[A-Za-z0-9-]{20,}',
    '\\bhf_[A-Za-z0-9]{20,}\\b', // Hugging Face
    '\\bsk-(?=[A-Za-z_-]{0,100}\\d|[A-Za-z0-9]{20})[A-Za-z0-9_-]{20,}', // OpenAI, Anthropic, Stripe's older form; a CSS class has no digit
    '\\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\\b',
    '\\b(?:gsk_|r8_|nvapi-|dop_v1_|shpat_|glsa_|whsec_|pfx_|hvs\\.)[A-Za-z0-9_-]{24,}', // Groq, Replicate, NVIDIA, …
    '\\bSG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{30,}', // SendGrid
    '\\bAIza[0-9A-Za-z_-]{30,}', // Google
    '\\bya29\\.[0-9A-Za-z_-]{20,}',
    '\\bnpm_[A-Za-z0-9]{30,}\\b',
    '\\bpypi-[A-Za-z0-9_-]{30,}',
    '\\bdapi[0-9a-f]{32}\\b', // Databricks
    '\\b\\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])', // Telegram
    '\\btk-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}', // Anaconda
    '\\beyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}', // JSON web token
  ].join('|'),
  'g',
)

/** Up to its end; one without an end up to the last of its lines of letters and digits. */
export const PRIVATE_KEY = new RegExp(
  '(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:(?:(?!-----)[\\s\\S]){0,65536}(-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)' +
    `|(?:[\\s"'\\\\+]{0,40}[A-Z][A-Za-z-]{2,30}: [^\\n]{0,200}\\n){0,5}` +
    `(?:(?:(?:[ \\t]*\\r?\\n){1,3}[+-]?[ \\t]*[A-Za-z0-9+/=]+(?![^\\r\\n]))+|(?:[\\s"'\\\\,()+-]{0,40}[A-Za-z0-9/][A-Za-z0-9+/=]{11,})+))`,
  'g',
)
/** Up to the last `@` before the path: passwords hold `@` and `:`. */
export const URL_USER =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)(?!\$?\{[^{}\s]{0,60}\}(?::\$?\{[^{}\s]{0,60}\})?@)[^\s/?'"<>]*@/gi
/** `--password VALUE` and `--password=VALUE` in a line. A value that a program fills in later stays. */
export const FLAG =
  /(?<![\w.-])(--?([A-Za-z][\w.-]{0,99})(?:[ \t]+|=))(?!\[redacted\])("[^"\n]+"|'[^'\n]+'|(?![-$"'{<%])[^\s;&|,"'`]+)/g
export const LONG_FLAG = new RegExp(`(?=--)${FLAG.source}`, 'g')
/** `NAME=value`, `name: value` anywhere in a line of a person or a shell. */
export const INLINE =
  /(?<![\w.-])((?:-{1,2})?([A-Za-z_][\w.-]{0,99})["']?(?:\s*=\s*|:\s+))(?!\[redacted\])("[^"\n]+"|'[^'\n]+'|(?![$"'{])[^\s;&,"']+)/g
/** "the password is VALUE", "password:VALUE". */
export const SAID = new RegExp(
  '(\\b(password|passphrase|passwd|pwd|passcode|(?:api|access|secret|private)[ -]?key|token|secret)' +
    `(?:[ \\t]+(?:is|was|are)[ \\t]*:?[ \\t]+|(?<=[dDeE]):))(?!${FILLED})["'\`]?([^\\s"'\`,;/]{3,})`,
  'gi',
)
/** What a literal or a word is that names a type, or nothing. */
export const NO_SECRET = new Set(
  'string str text bytes number integer int float bool boolean null none undefined true false optional required object any auto default secretstr secretbytes'.split(
    ' ',
  ),
)
/** What is said of a secret, besides what ends in -ed or -ing. */
export const PROSE = new Set(
  'missing wrong invalid empty unknown correct incorrect hidden unset too also only still already always never given kept the that this not now weak strong short long same there here for from set read what valid bad gone safe fine out ready available sent'.split(
    ' ',
  ),
)
