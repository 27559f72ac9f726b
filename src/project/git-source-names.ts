/** Which files are source that belongs in a patch, by their names: never data, never what is likely to hold secrets. */
import { basename } from 'node:path'

const SOURCE =
  /\.(?:py|pyi|pyx|ipynb|r|rmd|qmd|jl|scala|java|kt|go|rs|c|cc|cpp|h|hpp|cu|js|mjs|cjs|ts|tsx|sh|bash|zsh|ps1|sql|stan|lua|pl|rb|ya?ml|toml|cfg|ini|conf|md|rst|tex|j2|jinja2|proto|dockerfile|mk|lock|dvc)$/i
const SOURCE_NAME =
  /^(?:Dockerfile.*|Makefile|Justfile|Snakefile|Procfile|Pipfile|requirements[^/]*\.(?:txt|in)|constraints[^/]*\.txt|environment[^/]*\.ya?ml|dvc\.lock|params\.json|config[^/]*\.json|\.gitignore|\.gitattributes|\.dvcignore|\.python-version)$/i
const DATA =
  /\.(?:csv|tsv|parquet|feather|arrow|avro|orc|jsonl|ndjson|xlsx?|ods|h5|hdf5|npy|npz|pkl|pickle|joblib|pt|pth|onnx|safetensors|bin|model|sav|rds|rdata|sqlite3?|db|duckdb|zip|gz|bz2|xz|zst|tar|tgz|7z|png|jpe?g|gif|webp|bmp|tiff?|wav|mp3|flac|mp4|avi|mov|pdf)$/i
const SECRET_NAME =
  /(?:^|\/)(?:\.env(?!\.(?:example|sample|template)$)[^/]*|[^/]*\.env|\.netrc|\.pypirc|\.npmrc|\.pgpass|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg|ovpn)|[^/]*(?:secret|credential|password)s?[^/]*\.(?:json|ya?ml|toml|ini|cfg|conf|txt|properties)|service[-_]?account[^/]*\.json)$/i
/** What a script imports or runs, of what git is told to ignore. */
const CODE = /\.(?:py|pyx|ipynb|r|jl|sh|bash|sql|stan|js|ts|lua|pl|rb)$/i

/** A changed file that git knows may be in the patch. */
export const mayBeInPatch = (path: string): boolean => !SECRET_NAME.test(path) && !DATA.test(path)

/** A new file that git does not know is source, not output, data or a secret. */
export const isNewSource = (path: string): boolean =>
  (SOURCE.test(path) || SOURCE_NAME.test(basename(path))) && !SECRET_NAME.test(path)

export const isCode = (path: string): boolean => CODE.test(path)
