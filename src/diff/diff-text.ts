import type { Paint, Style } from '../report/style.ts';
import { sanitise, wrap } from '../report/terminal-text.ts';
import { type Cell, type Column, type Row, renderTable } from '../report/text-table.ts';
import { counted, formatCount, formatDuration, formatRate } from '../report/units.ts';
import { type Comparison, type GroupComparison, groupsWith } from './compare.ts';
import { type Finding, isSignificant, type Verdict } from './finding.ts';
import { findingText, nameText, shareText } from './finding-text.ts';
import { factsOf, type GroupFacts } from './group-facts.ts';
import { shareOf } from './group-side.ts';
import { isClientError } from './status-code.ts';

export interface DiffTextOptions {
  readonly files: readonly [before: readonly string[], after: readonly string[]];
  /** Names of the fields that groups are made by. */
  readonly fields: readonly string[];
  readonly metric: string;
  readonly percentiles: readonly number[];
  readonly confidence: number;
  readonly threshold: number;
  readonly width: number;
  readonly style: Style;
  /** Rows of the table; the others are counted. */
  readonly limit: number;
}

const HEADINGS: readonly (readonly [Verdict, string])[] = [
  ['worse', 'Worse'],
  ['different', 'Different'],
  ['better', 'Better'],
];

/** The whole report: what was compared, what differs, every group, and the verdict in a line. */
export function diffText(comparison: Comparison, options: DiffTextOptions): string {
  const lines = [
    ...inputLines(comparison, options),
    ...findingLines(comparison, options),
    '',
    ...tableLines(comparison, options),
    '',
    verdictLine(comparison, options),
  ];
  return `${lines.join('\n')}\n`;
}

function inputLines({ all, watchedNs, orphans, crowdedOut }: Comparison, options: DiffTextOptions): string[] {
  const lines: string[] = [];
  [all.before, all.after].forEach((side, index) => {
    const name = ['before', 'after '][index];
    const files = options.files[index].map((path) => (path === '-' ? 'standard input' : sanitise(path)));
    const time = watchedNs[index] > 0 ? ` in ${formatDuration(watchedNs[index])}` : '';
    lines.push(`${name}  ${files.join(', ')}: ${counted(side?.requests ?? 0, 'request')}${time}`);
    if (orphans[index] > 0)
      lines.push(`        ${counted(orphans[index], 'answer')} without a request, not compared`);
    if (crowdedOut[index] > 0)
      lines.push(`        ${counted(crowdedOut[index], 'request')} in (other): too many groups`);
    if (side !== null && side.stride > 1)
      lines.push(`        times and sizes of every ${formatCount(side.stride)}th request or more; see ~`);
  });
  return lines;
}

/** Rates that only follow the whole traffic are not worth a line each. */
function isWorthSaying(
  finding: Finding,
  group: GroupComparison,
  { all }: Comparison,
  threshold: number,
): boolean {
  if (!isSignificant(finding)) return false;
  const others = group.findings.filter(isSignificant);
  if (finding.kind === 'shift') return !others.some(({ kind }) => /^p\d/.test(kind));
  if (finding.kind !== 'rate' || group === all) return true;
  const whole = all.findings.find(({ kind }) => kind === 'rate');
  if (whole === undefined || !isSignificant(whole) || whole.change === null || finding.change === null)
    return true;
  const beside = (1 + finding.change) / (1 + whole.change) - 1;
  return Math.abs(beside) > threshold;
}

function findingLines(comparison: Comparison, options: DiffTextOptions): string[] {
  const { style, fields, metric, confidence, threshold } = options;
  const paints: Readonly<Partial<Record<Verdict, Paint>>> = { worse: style.red, better: style.green };
  const shown = comparison.groups.length === 1 ? comparison.groups : [comparison.all, ...comparison.groups];
  const lines: string[] = [];
  for (const [verdict, heading] of HEADINGS) {
    const here: string[] = [];
    for (const group of shown) {
      const name = nameText(group.name, fields);
      for (const finding of group.findings) {
        if (finding.verdict !== verdict || !isWorthSaying(finding, group, comparison, threshold)) continue;
        here.push(...hanging(name, findingText(finding, metric, confidence), options));
      }
    }
    if (here.length > 0) lines.push('', (paints[verdict] ?? style.bold)(heading), ...here);
  }
  return lines;
}

/** `  name: text`, with the following lines further in. */
function hanging(name: string, text: string, { width, style }: DiffTextOptions): string[] {
  const [first, ...rest] = wrap(`${name}: ${text}`, Math.max(20, width - 6));
  const painted = first.startsWith(name) ? style.bold(name) + first.slice(name.length) : first;
  return [`  ${painted}`, ...rest.map((line) => `      ${line}`)];
}

/** `12.1 ms → 48.3 ms`; the second painted where it differs, `?` where no difference could have been told. */
function pair(texts: readonly [string, string], finding: Finding | undefined, style: Style): Cell {
  const [first, second] = texts;
  const text = first === second ? first : `${first} → ${second}`;
  if (finding === undefined || finding.verdict === 'same') return { text };
  if (finding.verdict === 'too-few') return { text: `${text} ?`, paint: style.dim };
  const paint = { worse: style.red, better: style.green, different: style.yellow, small: undefined }[
    finding.verdict
  ];
  return paint === undefined ? { text } : { text, paint };
}

/** Column and cell of 4xx only where there are any. */
function hasClientErrors({ all }: Comparison): boolean {
  return [all.before, all.after].some((side) => side !== null && shareOf(side, isClientError) > 0);
}

function tableLines(comparison: Comparison, options: DiffTextOptions): string[] {
  const { style, width, percentiles, fields, limit, metric } = options;
  const columns: Column[] = [
    { title: fields.includes('route') ? 'route' : 'group', shrinkTo: 20, cut: 'middle' },
    { title: '', expendable: 3 },
    { title: 'requests', align: 'right' },
    { title: 'per s', align: 'right', expendable: 2 },
    { title: 'errors', align: 'right' },
    ...(hasClientErrors(comparison) ? [{ title: '4xx', align: 'right', expendable: 1 } as const] : []),
    ...percentiles.map(
      (percent, index): Column => ({
        title: metric === 'total' ? `p${percent}` : `${metric} p${percent}`,
        align: 'right',
        // Where there is no room for several, the first one stays.
        ...(index === 0 ? {} : { expendable: 0 }),
      }),
    ),
  ];
  const groups = comparison.groups.slice(0, limit);
  const rows = [...(comparison.groups.length === 1 ? [] : [comparison.all]), ...groups].map((group) =>
    rowOf(group, comparison, options),
  );
  const lines = renderTable(columns, rows, width, style, '');
  if (comparison.groups.length > groups.length)
    lines.push(
      style.dim(`and ${formatCount(comparison.groups.length - groups.length)} more (--limit shows more)`),
    );
  if (rows.some((row) => row.some((cell) => typeof cell !== 'string' && cell.text.endsWith(' ?'))))
    lines.push(style.dim('?  too few requests to tell, however large the difference'));
  return lines;
}

const MARKS: Readonly<Record<Verdict, string>> = {
  worse: 'worse',
  better: 'better',
  different: 'different',
  small: '',
  same: '',
  'too-few': 'too few',
};

function rowOf(group: GroupComparison, comparison: Comparison, options: DiffTextOptions): Row {
  const { watchedNs } = comparison;
  const { style, fields, percentiles } = options;
  const sides = [group.before, group.after].map((side, index) =>
    side === null ? null : factsOf(side, percentiles, watchedNs[index]),
  );
  const found = (kind: string): Finding | undefined =>
    group.findings.find((finding) => finding.kind === kind);
  const cell = (kind: string, text: (facts: GroupFacts) => string): Cell => {
    const texts = sides.map((facts) => (facts === null ? '–' : text(facts)));
    return pair([texts[0], texts[1]], found(kind), style);
  };
  const onlyOnOne = found('new') ?? found('gone');
  const unsure = onlyOnOne !== undefined && !isSignificant(onlyOnOne) ? ' ?' : '';
  const mark = onlyOnOne === undefined ? MARKS[group.verdict] : `${onlyOnOne.kind}${unsure}`;
  const sampled = ({ sampled: is }: GroupFacts): string => (is ? '~' : '');
  return [
    nameText(group.name, fields),
    {
      text: mark,
      paint: group.verdict === 'worse' ? style.red : group.verdict === 'better' ? style.green : style.dim,
    },
    cell('none', ({ requests }) => formatCount(requests)),
    cell('rate', ({ rate }) => formatRate(rate)),
    cell('errors', ({ errorShare }) => shareText(errorShare)),
    ...(hasClientErrors(comparison)
      ? [cell('client-errors', ({ clientErrorShare }) => shareText(clientErrorShare))]
      : []),
    ...percentiles.map((percent, index) =>
      cell(`p${percent}`, (facts) => `${sampled(facts)}${formatDuration(facts.percentilesNs[index])}`),
    ),
  ];
}

/** What came out, in one line. */
export function verdictLine(comparison: Comparison, options: DiffTextOptions): string {
  const { groups, all, tests } = comparison;
  const noun = options.fields.includes('route') ? 'route' : 'group';
  const appeared = groups.filter(({ findings }) =>
    findings.some((one) => one.kind === 'new' && isSignificant(one)),
  );
  const gone = groups.filter(({ findings }) =>
    findings.some((one) => one.kind === 'gone' && isSignificant(one)),
  );
  const different = groupsWith(comparison, 'different') - appeared.length - gone.length;
  const parts = [
    [groupsWith(comparison, 'worse'), 'worse'],
    [groupsWith(comparison, 'better'), 'better'],
    [appeared.length, 'new'],
    [gone.length, 'gone'],
    [different, 'otherwise different'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const wholeDiffers = all.findings.some(isSignificant);
  const few = groups.filter(({ verdict }) => verdict === 'too-few').length;
  const result =
    said.length > 0
      ? `of ${counted(groups.length, noun)}, ${said.join(', ')}`
      : wholeDiffers
        ? `no single ${noun} differs significantly, all requests together do`
        : `nothing differs significantly in ${counted(groups.length, noun)}`;
  const unsure = few > 0 ? `; ${formatCount(few)} with too few requests to tell` : '';
  const how = `${shareText(options.confidence)} confidence over ${counted(tests, 'test')}, changes of ${shareText(options.threshold)} and more`;
  const words = said.length > 0 || wholeDiffers ? options.style.bold : options.style.green;
  return `${words(`Verdict: ${result}`)}${unsure} (${how})`;
}

/** Advice when the groups of the two sides have nothing to do with each other. */
export function nothingInCommon({ groups }: Comparison, fields: readonly string[]): string | null {
  const common = groups.some(({ before, after }) => before !== null && after !== null);
  if (common || groups.length < 2) return null;
  const rest = fields.filter((field) => field !== 'host');
  const advice =
    rest.length < fields.length && rest.length > 0
      ? `; --by ${rest.join(',')} compares whatever the host is`
      : '';
  return `no ${fields.join(', ')} is on both sides${advice}`;
}
