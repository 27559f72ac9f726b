/**
 * Modules that may be there to be imported: Python's own and widely installed ones. Asked only of bytes that are most
 * probably no pickle (array bytes, text, tensors), where a chance word must not pass for an import.
 */
import { isPlausibleName } from './text-opcodes.ts'

const ROOTS = new Set(
  (
    'IPython PIL __builtin__ __builtins__ __future__ __main__ _abc _aix_support _ast _asyncio _bisect _blake2 ' +
    '_bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw ' +
    '_collections _collections_abc _compat_pickle _compression _contextvars _crypt _csv _ctypes _curses ' +
    '_curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib _frozen_importlib_external _functools ' +
    '_gdbm _hashlib _heapq _imp _io _json _locale _loss _lsprof _lzma _markupbase _md5 _msi _multibytecodec ' +
    '_multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc ' +
    '_pydecimal _pyio _pytest _queue _random _scproxy _sha1 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket ' +
    '_sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _symtable _thread _threading_local _tkinter ' +
    '_tokenize _tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _zoneinfo abc aifc aiohttp ' +
    'antigravity argparse array ast asynchat asyncio asyncore atexit attr attrs audioop base64 bdb binascii bisect ' +
    'boto3 botocore bs4 builtins bz2 cPickle cProfile calendar catboost celery cgi cgitb chunk click cloudpickle ' +
    'cmath cmd code codecs codeop collections colorsys commands compileall concurrent configparser contextlib ' +
    'contextvars copy copy_reg copyreg crypt csv ctypes cupy curses cv2 dask dataclasses datasets datetime dbm ' +
    'decimal difflib dill dis distutils django docker doctest email encodings ensurepip enum errno fabric fastai ' +
    'fastapi faulthandler fcntl filecmp fileinput flask fnmatch fractions fsspec ftplib functools gc genericpath ' +
    'gensim getopt getpass gettext glob gradio graphlib grp gzip hashlib heapq hickle hmac html http httpx ' +
    'huggingface_hub idlelib imaplib imghdr imp importlib inspect invoke io ipaddress itertools jax jinja2 joblib ' +
    'json jsonpickle jupyter_client keras keyword kubernetes lib2to3 lightgbm lightning linecache locale logging ' +
    'lxml lzma mailbox mailcap markupsafe marshal math matplotlib mimetypes mlflow mmap modulefinder msilib msvcrt ' +
    'multiprocessing netrc nis nltk nntplib nose notebook nt ntpath nturl2path numba numbers numexpr numpy onnx ' +
    'onnxruntime opcode openai operator optparse optuna os os2 ossaudiodev pandas paramiko pathlib pdb pexpect ' +
    'pickle pickletools pip pipes pkg_resources pkgutil platform plistlib plotly plumbum polars popen2 poplib posix ' +
    'posixpath pprint profile pstats psutil pty ptyprocess pwd py py_compile pyarrow pyclbr pydantic pydevd pydoc ' +
    'pydoc_data pyexpat pytest pytorch_lightning queue quopri random ray re readline reprlib requests resource ' +
    'rlcompleter ruamel runpy safetensors sched scipy seaborn secrets select selectors setup setuptools sh shelve ' +
    'shlex shutil signal site skimage sklearn skops smtpd smtplib sndhdr socket socketserver spacy spwd sqlalchemy ' +
    'sqlite3 sre_compile sre_constants sre_parse ssl starlette stat statistics statsmodels streamlit string ' +
    'stringprep struct subprocess sunau sympy symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile ' +
    'tensorflow termios textwrap tf_keras theano this threading time timeit tkinter token tokenize tomllib torch ' +
    'torchaudio torchvision tornado tqdm trace traceback tracemalloc transformers tty turtle turtledemo twisted ' +
    'types typing ultralytics unicodedata unittest urllib urllib2 urllib3 uu uuid uvicorn venv warnings wave ' +
    'weakref webbrowser wheel winreg winsound wsgiref xdrlib xgboost xml xmlrpc yaml zipapp zipfile zipimport zlib ' +
    'zmq zoneinfo '
  ).split(' '),
)

/**
 * An array of objects inside of a joblib file ends, for pickle.load, with a memo of the wrong numbers: it asks some other
 * module for numpy's `dtype`. No other module has one.
 */
export const isImportable = (module: string, name: string): boolean =>
  isPlausibleName(module) && ROOTS.has(module.split('.')[0] ?? '') && (name !== 'dtype' || module.startsWith('numpy'))
