/** NumPy, SciPy, pandas and joblib: arrays, tables and what rebuilds them. Functions here compute, and call nothing. */
const SCALARS =
  'bool bool_ byte bytes_ cdouble clongdouble complex128 complex64 csingle datetime64 double float16 float32 float64 float_ half int16 int32 int64 int8 int_ intc intp long longdouble longlong object_ short single str_ timedelta64 ubyte uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong unicode_ ushort void'

const UFUNCS =
  'abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh cbrt ceil clip conj conjugate copysign cos cosh cumprod cumsum deg2rad degrees diff divide equal exp exp2 expm1 fabs float_power floor fmax fmin fmod greater greater_equal heaviside hypot isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum max mean median min minimum mod multiply nan_to_num nanmax nanmean nanmedian nanmin nanstd nansum nanvar negative not_equal percentile positive power prod quantile rad2deg radians ravel reciprocal remainder rint round sign sin sinh sqrt square std subtract sum tan tanh true_divide trunc var'

const MULTIARRAY = '_reconstruct scalar'
const SPARSE = (kind: string): string => `${kind}_matrix ${kind}_array`
const SPARSE_KINDS = ['bsr', 'coo', 'csc', 'csr', 'dia', 'dok', 'lil']

export const NUMPY: Readonly<Record<string, string>> = {
  numpy: `dtype ndarray matrix ${SCALARS} ${UFUNCS}`,
  'numpy._core.multiarray': MULTIARRAY,
  'numpy.core.multiarray': MULTIARRAY,
  'numpy._core.numeric': '_frombuffer',
  'numpy.core.numeric': '_frombuffer',
  'numpy._core._multiarray_umath': UFUNCS,
  'numpy.core._multiarray_umath': UFUNCS,
  'numpy.core.umath': UFUNCS,
  'numpy.dtypes':
    'BoolDType Complex128DType Float16DType Float32DType Float64DType Int16DType Int32DType Int64DType Int8DType ObjectDType StrDType UInt16DType UInt32DType UInt64DType UInt8DType',
  'numpy.ma': 'MaskedArray',
  'numpy.ma.core': 'MaskedArray MaskedConstant _mareconstruct',
  'numpy.matrixlib.defmatrix': 'matrix',
  'numpy.random': 'RandomState',
  'numpy.random._generator': 'Generator',
  'numpy.random._mt19937': 'MT19937',
  'numpy.random._pcg64': 'PCG64 PCG64DXSM',
  'numpy.random._philox': 'Philox',
  'numpy.random._pickle': '__bit_generator_ctor __generator_ctor __randomstate_ctor',
  'numpy.random._sfc64': 'SFC64',
  'numpy.random.bit_generator': 'SeedSequence __pyx_unpickle_SeedSequence',
  'numpy.random.mtrand': 'RandomState __randomstate_ctor',
}

/** No distributions of scipy.stats: they run `exec` on a string of their state when they are unpickled. */
export const SCIPY: Readonly<Record<string, string>> = {
  'scipy.interpolate._bsplines': 'BSpline',
  'scipy.interpolate._cubic': 'Akima1DInterpolator CubicHermiteSpline CubicSpline PchipInterpolator',
  'scipy.interpolate._fitpack2': 'InterpolatedUnivariateSpline LSQUnivariateSpline UnivariateSpline',
  'scipy.interpolate._interpolate': 'BPoly PPoly interp1d',
  'scipy.interpolate.interpolate': 'interp1d',
  'scipy.optimize._optimize': 'OptimizeResult',
  'scipy.spatial._ckdtree': 'cKDTree cKDTreeNode',
  'scipy.spatial._kdtree': 'KDTree',
  'scipy.spatial.ckdtree': 'cKDTree',
  'scipy.spatial.transform._rotation': 'Rotation',
  'scipy.special._special_ufuncs': 'erf erfc expit gamma gammaln log_expit logit',
  'scipy.special._ufuncs':
    'boxcox boxcox1p erf erfc erfinv expit expm1 gamma gammaln inv_boxcox log1p log_expit logit ndtr ndtri xlogy',
  ...Object.fromEntries(
    SPARSE_KINDS.flatMap((kind) => [
      [`scipy.sparse._${kind}`, SPARSE(kind)],
      [`scipy.sparse.${kind}`, SPARSE(kind)],
    ]),
  ),
}

const OFFSETS =
  'BDay BMonthBegin BMonthEnd BQuarterBegin BQuarterEnd BYearBegin BYearEnd BusinessDay BusinessHour BusinessMonthBegin BusinessMonthEnd Day FY5253 Hour Micro Milli Minute MonthBegin MonthEnd Nano QuarterBegin QuarterEnd Second SemiMonthBegin SemiMonthEnd Tick Week WeekOfMonth YearBegin YearEnd'

export const PANDAS: Readonly<Record<string, string>> = {
  'pandas._libs.arrays': 'NDArrayBacked __pyx_unpickle_NDArrayBacked',
  'pandas._libs.internals': 'BlockPlacement _unpickle_block',
  'pandas._libs.interval': 'Interval __pyx_unpickle_IntervalMixin',
  'pandas._libs.missing': 'NA NAType',
  'pandas._libs.tslibs.nattype': '__nat_unpickle _nat_unpickle',
  'pandas._libs.tslibs.offsets': OFFSETS,
  'pandas._libs.tslibs.period': 'Period',
  'pandas._libs.tslibs.timedeltas': 'Timedelta _timedelta_unpickle',
  'pandas._libs.tslibs.timestamps': 'Timestamp _unpickle_timestamp',
  'pandas.core.arrays.boolean': 'BooleanArray BooleanDtype',
  'pandas.core.arrays.categorical': 'Categorical',
  'pandas.core.arrays.datetimes': 'DatetimeArray',
  'pandas.core.arrays.floating': 'Float32Dtype Float64Dtype FloatingArray',
  'pandas.core.arrays.integer':
    'Int16Dtype Int32Dtype Int64Dtype Int8Dtype IntegerArray UInt16Dtype UInt32Dtype UInt64Dtype UInt8Dtype',
  'pandas.core.arrays.interval': 'IntervalArray',
  'pandas.core.arrays.numpy_': 'NumpyExtensionArray PandasArray',
  'pandas.core.arrays.period': 'PeriodArray',
  'pandas.core.arrays.sparse.array': 'SparseArray',
  'pandas.core.arrays.string_': 'StringArray StringDtype',
  'pandas.core.arrays.timedeltas': 'TimedeltaArray',
  'pandas.core.dtypes.dtypes':
    'CategoricalDtype DatetimeTZDtype IntervalDtype NumpyEADtype PandasDtype PeriodDtype SparseDtype',
  'pandas.core.frame': 'DataFrame',
  'pandas.core.indexes.base': 'Index _new_Index',
  'pandas.core.indexes.category': 'CategoricalIndex',
  'pandas.core.indexes.datetimes': 'DatetimeIndex _new_DatetimeIndex',
  'pandas.core.indexes.frozen': 'FrozenList',
  'pandas.core.indexes.interval': 'IntervalIndex _new_IntervalIndex',
  'pandas.core.indexes.multi': 'MultiIndex',
  'pandas.core.indexes.numeric': 'Float64Index Int64Index UInt64Index',
  'pandas.core.indexes.period': 'PeriodIndex _new_PeriodIndex',
  'pandas.core.indexes.range': 'RangeIndex',
  'pandas.core.indexes.timedeltas': 'TimedeltaIndex',
  'pandas.core.internals.blocks': 'new_block',
  'pandas.core.internals.managers': 'BlockManager SingleBlockManager',
  'pandas.core.series': 'Series',
}

export const JOBLIB: Readonly<Record<string, string>> = { 'joblib.numpy_pickle': 'NumpyArrayWrapper' }
