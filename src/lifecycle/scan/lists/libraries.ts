/**
 * Python's own containers and numbers, PyTorch, XGBoost and LightGBM. Not on the list, whatever else stands in these
 * modules: what imports or reads attributes by name (getattr, attrgetter), what calls a method by name (methodcaller),
 * what runs text (eval, exec, compile, namedtuple), what makes classes (type), what opens files or loads pickles.
 */
const BUILTINS =
  'Ellipsis NotImplemented bool bytearray bytes complex dict float frozenset int len list max min object range reversed round set slice sorted str sum tuple abs'

export const PYTHON: Readonly<Record<string, string>> = {
  builtins: BUILTINS,
  __builtin__: `${BUILTINS} basestring long unicode xrange`,
  _codecs: 'encode',
  collections: 'Counter OrderedDict UserDict UserList defaultdict deque',
  copyreg: '__newobj__ __newobj_ex__ _reconstructor',
  copy_reg: '__newobj__ __newobj_ex__ _reconstructor',
  datetime: 'date datetime time timedelta timezone',
  decimal: 'Decimal',
  fractions: 'Fraction',
  // Whatever it calls must itself be imported by the pickle, and is judged there.
  functools: 'partial',
  math: 'ceil cos exp fabs floor log log10 log1p log2 pow sin sqrt tan',
  operator: 'add and_ eq ge gt itemgetter le lt mod mul ne neg not_ or_ pow sub truediv',
  pathlib: 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
  re: '_compile',
  types: 'SimpleNamespace',
  uuid: 'SafeUUID UUID',
  pytz: '_UTC _p',
}

const LAYERS: Readonly<Record<string, string>> = {
  activation:
    'CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold',
  batchnorm: 'BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm',
  container: 'ModuleDict ModuleList ParameterDict ParameterList Sequential',
  conv: 'Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d',
  dropout: 'AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout',
  flatten: 'Flatten Unflatten',
  instancenorm: 'InstanceNorm1d InstanceNorm2d InstanceNorm3d',
  linear: 'Bilinear Identity Linear NonDynamicallyQuantizableLinear',
  loss: 'BCELoss BCEWithLogitsLoss CrossEntropyLoss HuberLoss KLDivLoss L1Loss MSELoss NLLLoss PoissonNLLLoss SmoothL1Loss',
  normalization: 'GroupNorm LayerNorm LocalResponseNorm RMSNorm',
  padding: 'ConstantPad1d ConstantPad2d ReflectionPad1d ReflectionPad2d ReplicationPad2d ZeroPad2d',
  pixelshuffle: 'PixelShuffle PixelUnshuffle',
  pooling:
    'AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d AvgPool2d AvgPool3d MaxPool1d MaxPool2d MaxPool3d',
  rnn: 'GRU GRUCell LSTM LSTMCell RNN RNNCell',
  sparse: 'Embedding EmbeddingBag',
  transformer: 'Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer',
  upsampling: 'Upsample UpsamplingBilinear2d UpsamplingNearest2d',
}

export const TORCH: Readonly<Record<string, string>> = {
  torch:
    'BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage QInt32Storage QInt8Storage QUInt8Storage ShortStorage Size Tensor bfloat16 bool complex128 complex64 device float16 float32 float64 int16 int32 int64 int8 per_channel_affine per_tensor_affine qint32 qint8 quint8 uint8',
  'torch._utils':
    '_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2',
  'torch.nn.parameter': 'Buffer Parameter UninitializedBuffer UninitializedParameter',
  'torch.storage': 'TypedStorage UntypedStorage',
  'torch.serialization': '_get_layout',
  ...Object.fromEntries(Object.entries(LAYERS).map(([name, classes]) => [`torch.nn.modules.${name}`, classes])),
}

export const BOOSTERS: Readonly<Record<string, string>> = {
  'xgboost.core': 'Booster',
  'xgboost.sklearn': 'XGBClassifier XGBModel XGBRFClassifier XGBRFRegressor XGBRanker XGBRegressor',
  'lightgbm.basic': 'Booster',
  'lightgbm.sklearn': 'LGBMClassifier LGBMModel LGBMRanker LGBMRegressor',
}
