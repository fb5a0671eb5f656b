/**
 * What SQL of people may use. Everything that is not in these lists is refused: DuckDB has functions that read files,
 * settings and environment, that write to the server's standard output, or that make gigabytes of one value, which no
 * memory limit sees and no interrupt ends.
 */

/** A node of the tree that DuckDB's parser makes. */
export type Tree = Readonly<Record<string, unknown>>;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Of a value, another one that is hardly longer. */
export const PLAIN_FUNCTIONS = words(`
  + - * / // % ** ^ & | << >> ~ ~~ !~~ ~~* !~~* ~~~ @ ^@ !
  abs ceil ceiling floor round trunc sign sqrt cbrt exp ln log log2 log10 pow power mod fmod greatest least isnan isinf
  isfinite even pi degrees radians sin cos tan asin acos atan atan2 xor bit_count
  lower upper lcase ucase trim ltrim rtrim left right substr substring length len strlen char_length character_length
  position strpos instr contains starts_with prefix suffix ends_with split_part reverse ascii unicode ord chr
  like_escape not_like_escape ilike_escape not_ilike_escape regexp_matches regexp_full_match regexp_extract
  levenshtein jaccard jaro_winkler_similarity hamming damerau_levenshtein
  json_extract json_extract_string json_extract_path json_extract_path_text json_array_length json_type json_valid
  json_exists json_contains json_value -> ->>
  date_trunc date_part datepart date_diff datediff date_sub datesub date_add datetrunc time_bucket extract
  year month day hour minute second millisecond microsecond quarter week weekday dayofweek isodow dayofyear yearweek
  epoch epoch_ms epoch_us epoch_ns make_timestamp make_timestamp_ms make_timestamp_ns make_date make_time
  to_timestamp to_seconds to_milliseconds to_microseconds to_minutes to_hours to_days to_weeks to_months to_years
  timezone now current_timestamp get_current_timestamp current_date today last_day dayname monthname strptime
  try_strptime age
  if ifnull nullif coalesce isnull try_cast hash typeof list_contains list_has array_contains array_length list_extract
  array_extract list_element struct_extract array_indexof list_position
`);

/** Of many rows one value of bounded size. */
export const AGGREGATES = words(`
  count count_star count_if countif sum kahan_sum fsum sumkahan avg mean favg min max arg_min arg_max argmin argmax min_by
  max_by any_value first last arbitrary mode median quantile quantile_cont quantile_disc approx_quantile
  approx_count_distinct percentile_cont percentile_disc stddev stddev_samp stddev_pop variance var_samp var_pop mad entropy
  skewness kurtosis corr covar_pop covar_samp regr_slope regr_intercept regr_r2 regr_count bool_and bool_or bit_and
  bit_or bit_xor product geomean geometric_mean
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value fill
`);

/** Of several values one that is as long as all of them together. */
export const JOINING_FUNCTIONS = words(
  '|| concat concat_ws list_value list_pack array_value struct_pack row strftime',
);

/** Of many rows one text. */
export const GATHERING_AGGREGATES = words('string_agg group_concat listagg');

/** With a constant as what is put in. */
export const REPLACING_FUNCTIONS = words('replace regexp_replace');

/** A text cut into a list. */
export const SPLITTING_FUNCTIONS = words('string_split str_split split string_to_array');

export const TABLE_FUNCTIONS = words('unnest');
/** Also outside of FROM. */
export const UNNEST = 'unnest';

/** LAMBDA is how the parser reads `json -> 'key'`; functions that take one are in none of the lists. */
export const EXPRESSION_CLASSES = words(
  'CONSTANT COLUMN_REF FUNCTION OPERATOR COMPARISON CONJUNCTION CAST CASE BETWEEN STAR SUBQUERY WINDOW POSITIONAL_REFERENCE LAMBDA',
);

/** Values of `type` in the tree: expressions, relations, queries, what is behind a query, orders. */
export const NODE_TYPES = words(`
  VALUE_CONSTANT COLUMN_REF FUNCTION
  OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF OPERATOR_TRY COMPARE_IN COMPARE_NOT_IN
  ARRAY_EXTRACT ARRAY_SLICE STRUCT_EXTRACT ARRAY_CONSTRUCTOR GROUPING_FUNCTION
  COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_LESSTHAN COMPARE_GREATERTHAN COMPARE_LESSTHANOREQUALTO
  COMPARE_GREATERTHANOREQUALTO COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM COMPARE_BETWEEN COMPARE_NOT_BETWEEN
  CONJUNCTION_AND CONJUNCTION_OR CAST OPERATOR_CAST CASE CASE_EXPR STAR SUBQUERY POSITIONAL_REFERENCE LAMBDA
  WINDOW_AGGREGATE WINDOW_ROW_NUMBER WINDOW_RANK WINDOW_RANK_DENSE WINDOW_PERCENT_RANK WINDOW_CUME_DIST WINDOW_NTILE
  WINDOW_LAG WINDOW_LEAD WINDOW_FIRST_VALUE WINDOW_LAST_VALUE WINDOW_NTH_VALUE WINDOW_FILL
  EMPTY BASE_TABLE JOIN TABLE_FUNCTION EXPRESSION_LIST SHOW_REF
  SELECT_NODE SET_OPERATION_NODE CTE_NODE
  LIMIT_MODIFIER ORDER_MODIFIER DISTINCT_MODIFIER LIMIT_PERCENT_MODIFIER
  ASCENDING DESCENDING ORDER_DEFAULT INVALID
`);

export const CAST_TYPES = words(`
  BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE DECIMAL VARCHAR
  DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL UUID
`);
export const ZONED_CAST_TYPES: ReadonlySet<string> = new Set([
  'TIMESTAMP WITH TIME ZONE',
  'TIME WITH TIME ZONE',
]);
