/**
 * Metrics and their text for Prometheus (text format 0.0.4). Names have one prefix and base units; counters end in
 * `_total`. Label values may come from strangers: they are escaped, cut, and bounded in number.
 */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Combinations of label values of one metric; further ones are counted together as `(other)`. */
export const SERIES_LIMIT = 1000;
/** Characters of a label value. */
const LONGEST_LABEL = 200;
const OTHER = '(other)';
const NAME = /^[a-z][a-z0-9_]*$/;

/** Only grows. `labels`: one value for each of the label names that it was made with. */
export interface Counter {
  add(by?: number, ...labels: readonly string[]): void;
  /** For counts that someone else keeps; never lower than before. */
  raiseTo(value: number, ...labels: readonly string[]): void;
}

export interface Gauge {
  set(value: number, ...labels: readonly string[]): void;
  /** Forgets every series, for gauges of things that come and go. */
  clear(): void;
}

export interface Histogram {
  /** In base units: seconds, bytes. */
  observe(value: number, ...labels: readonly string[]): void;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): string[];
}

/** The metrics of one process. `prefix`: `wirelens_server_`. */
export class MetricSet {
  readonly #prefix: string;
  readonly #families = new Map<string, Family>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `name` without the prefix, ending in `_total`. Shown as 0 from the beginning when it has no labels. */
  counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    if (!name.endsWith('_total')) throw new Error(`counter ${name} must end in _total`);
    const series = this.#series(name, help, 'counter', labelNames);
    return {
      add: (by = 1, ...labels) => {
        if (by > 0) series.update(labels, (value) => value + by);
      },
      raiseTo: (value, ...labels) => series.update(labels, (before) => Math.max(before, value)),
    };
  }

  gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    const series = this.#series(name, help, 'gauge', labelNames);
    return {
      set: (value, ...labels) => series.update(labels, () => value),
      clear: () => series.clear(),
    };
  }

  /** `bounds`: upper bounds of the buckets, rising, without infinity. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labelNames: readonly string[] = [],
  ): Histogram {
    const full = this.#nameOf(name, labelNames);
    const tables = new LabelTable(labelNames, () => ({
      counts: new Float64Array(bounds.length + 1),
      sum: 0,
    }));
    this.#families.set(full, {
      name: full,
      help,
      type: 'histogram',
      lines: () =>
        tables.entries().flatMap(([pairs, { counts, sum }]) => {
          const lines: string[] = [];
          let count = 0;
          for (const [index, one] of counts.entries()) {
            count += one;
            const bound = index < bounds.length ? numberText(bounds[index]) : '+Inf';
            lines.push(`${full}_bucket${braces([...pairs, `le="${bound}"`])} ${count}`);
          }
          return [
            ...lines,
            `${full}_sum${braces(pairs)} ${numberText(sum)}`,
            `${full}_count${braces(pairs)} ${count}`,
          ];
        }),
    });
    return {
      observe: (value, ...labels) => {
        const cell = tables.cell(labels);
        const at = bounds.findIndex((bound) => value <= bound);
        cell.counts[at < 0 ? bounds.length : at] += 1;
        cell.sum += value;
      },
    };
  }

  /** Everything, in the order in which it was made. */
  text(): string {
    const lines: string[] = [];
    for (const { name, help, type, lines: series } of this.#families.values()) {
      lines.push(
        `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
        `# TYPE ${name} ${type}`,
      );
      lines.push(...series());
    }
    return `${lines.join('\n')}\n`;
  }

  #series(name: string, help: string, type: 'counter' | 'gauge', labelNames: readonly string[]) {
    const full = this.#nameOf(name, labelNames);
    const table = new LabelTable(labelNames, () => ({ value: 0 }));
    if (labelNames.length === 0 && type === 'counter') table.cell([]);
    this.#families.set(full, {
      name: full,
      help,
      type,
      lines: () =>
        table.entries().map(([pairs, { value }]) => `${full}${braces(pairs)} ${numberText(value)}`),
    });
    return {
      update: (labels: readonly string[], change: (before: number) => number) => {
        const cell = table.cell(labels);
        cell.value = change(cell.value);
      },
      clear: () => table.clear(),
    };
  }

  #nameOf(name: string, labelNames: readonly string[]): string {
    const full = `${this.#prefix}${name}`;
    if (!NAME.test(full) || !labelNames.every((label) => NAME.test(label)))
      throw new Error(`${full} is no name of a metric`);
    if (this.#families.has(full)) throw new Error(`metric ${full} is there already`);
    return full;
  }
}

/** Cells by label values; bounded. */
class LabelTable<Cell> {
  readonly #names: readonly string[];
  readonly #make: () => Cell;
  readonly #cells = new Map<string, { readonly pairs: readonly string[]; readonly cell: Cell }>();

  constructor(names: readonly string[], make: () => Cell) {
    this.#names = names;
    this.#make = make;
  }

  cell(values: readonly string[]): Cell {
    const key = values.join('\0');
    const known = this.#cells.get(key);
    if (known !== undefined) return known.cell;
    if (values.length !== this.#names.length)
      throw new Error(`${this.#names.length} label values are wanted`);
    if (this.#cells.size >= SERIES_LIMIT && values.some((value) => value !== OTHER))
      return this.cell(values.map(() => OTHER));
    const pairs = this.#names.map((name, index) => `${name}="${labelText(values[index])}"`);
    const cell = this.#make();
    this.#cells.set(key, { pairs, cell });
    return cell;
  }

  clear(): void {
    this.#cells.clear();
  }

  entries(): (readonly [readonly string[], Cell])[] {
    return [...this.#cells.values()].map(({ pairs, cell }) => [pairs, cell] as const);
  }
}

const braces = (pairs: readonly string[]): string => (pairs.length === 0 ? '' : `{${pairs.join(',')}}`);

function labelText(value: string): string {
  return value
    .slice(0, LONGEST_LABEL)
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
