/** Secrets as people write them into code, notebooks and commands, all made up; and what only looks like one. */

/** So long that no rule about length spares it; no scanner takes it for real. */
export const SECRET = 'hunter2hunter2'

/** Every one holds SECRET. */
export const SECRET_FORMS: readonly string[] = [
  `wandb_api_key: str = "${SECRET}"`,
  `password: Optional[str] = "${SECRET}"`,
  `password: str | None = "${SECRET}"`,
  `SECRET_KEY = b"${SECRET}"`,
  `SECRET_KEY = rb'${SECRET}'`,
  `self._password = u'${SECRET}'`,
  `token = f"${SECRET}"`,
  `password = (\n    "${SECRET}"\n)`,
  `+password = (\n+    "${SECRET}"\n+    "${SECRET}"\n+)`,
  `password = \\\n    "${SECRET}"`,
  `password = """${SECRET}"""`,
  `password = "ab\\"${SECRET}"`,
  `cmd = "password='${SECRET}'"`,
  `api_key: str = Field(default="${SECRET}")`,
  `token = SecretStr("${SECRET}")`,
  `const apiKey: string =\n  '${SECRET}'`,
  `process.env.API_KEY ?? '${SECRET}'`,
  `os.getenv("API_KEY", "${SECRET}")`,
  `os.environ.get("API_KEY") or "${SECRET}"`,
  `'password' => '${SECRET}'`,
  `password <- "${SECRET}"`,
  `db_pass = "${SECRET}"`,
  `  api_key: ${SECRET}  # mine`,
  `%env TOKEN=${SECRET}`,
  `"Authorization": f"Bearer ${SECRET}"`,
  `"Authorization": "${SECRET}"`,
  `add_header("Authorization", "Bearer ${SECRET}")`,
  `"X-Api-Key": "${SECRET}"`,
  `add_argument("--api-key", default="${SECRET}")`,
  `add_argument(\n    "--api-key",\n    type=str,\n    default="${SECRET}",\n)`,
  `["--password", "${SECRET}"]`,
  `"AccountName=a;AccountKey=${SECRET}==;EndpointSuffix=core.windows.net"`,
  `"host=db password=${SECRET} dbname=x"`,
  `"password=${SECRET} host=db"`,
  `"Server=x;Uid=sa;Pwd=${SECRET};"`,
  `auth=("user","${SECRET}")`,
  `HTTPBasicAuth('user', '${SECRET}')`,
  `os.system("curl -u bob:${SECRET} https://h")`,
  `["curl", "-u", "bob:${SECRET}"]`,
  `os.system("sshpass -p ${SECRET} ssh h")`,
  `["sshpass", "-p", "${SECRET}"]`,
  `os.system("mysql -u root -p${SECRET} db")`,
  `docker run -e PASSWORD=${SECRET} image`,
  `machine h login u password ${SECRET}`,
  `"https://api.telegram.org/bot123456789:AA${SECRET}/sendMessage"`,
  `https://discord.com/api/webhooks/1234/${SECRET}`,
  `https://hooks.slack.com/services/T0/B0/${SECRET}`,
  `https://hooks.slack.com/triggers/T0/B0/${SECRET}`,
  `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${SECRET}\n=ab\n-----END PGP PRIVATE KEY BLOCK-----`,
  `-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n${SECRET}${SECRET}\n`,
  `    "api_key = \\"${SECRET}\\"\\n",`,
  `"source": "api_key = \\"${SECRET}\\""`,
  `    "os.environ[\\"API_KEY\\"] = \\"${SECRET}\\"\\n"`,
  `    "password = (\\n",\n    "    \\"${SECRET}\\"\\n",`,
  `https://conda.anaconda.org/t/${SECRET}/main/linux-64/x-1.conda`,
  `https://conda.corp/api/t/${SECRET}/main`,
]

/** Source in which nothing may change. */
export const NO_SECRETS: readonly string[] = [
  'password = getpass("Password")',
  'token = os.environ["TOKEN"]',
  'connect(host=h, password=pw, port=1)',
  'connect(\n    user=user,\n    password=password\n)',
  'PASSWORD = "password"',
  'names = ["user", "password", "email"]',
  'if token == "foo": pass',
  'token:\n  "name": x',
  'password: str',
  'def read(self) -> Token:\n    """One of them."""',
  'credential_provider: CredentialProviderFunction',
  'def f(token: str = None, name: str = "abcdef"):',
  'pad_token = "<pad>"',
  'token_type = "bearer"',
  'tokenizer = "bert-base"',
  'API_KEY_NAME = "OPENAI"',
  'api_key = "OPENAI_API_KEY"',
  'headers = {"Authorization": f"Bearer {token}"}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a file
  'password = "${DB_PASSWORD}"',
  '"postgresql://{user}:{pw}@{host}/db"',
  'parser.add_argument("--token", "--auth-token", help="the token")',
  'docker run -u 1000:1000 x',
  'https://discuss.pytorch.org/t/how-to-do-this/1234/5',
  'r\'<label for="sk-estimator-id" class="sk-toggleable__label fitted">\'',
  'pem.startswith("-----BEGIN PRIVATE KEY-----")\nreturn True',
]

/** Pieces which, repeated without an end, would keep a careless pattern busy for hours. */
export const ENDLESS: readonly string[] =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a file
  'a|_|a_|a.|-.a|-a.|- | |\n|"|\\"|\\|token |token=|token="|token=\\"|token=\'"|password = ("|password = (\n|://|a://b|/t/|://a/t/|?a&|auth("a",|curl -u |mysql -p |"--token",|"--token", default|get("token"|password is |password:|"""|token="""|{|${|{}|<|a=b |; token=|token: a[|token: a \\||token:str=|-a=x=|eyJaaaaaaaa.|sk-|x@|\\n",\n"|-----BEGIN PRIVATE KEY-----'
    .split(/(?<!\\)\|/)
    .map((piece) => piece.replace('\\|', '|'))
