import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANOMALIES } from '../src/model/anomaly.ts';
import { Ledger, PACKET_REASONS } from '../src/model/ledger.ts';
import { LIMITS } from '../src/model/limits.ts';

/* Tables in docs/ that stand for a closed list of the model: complete, nothing besides, the same words. */

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(path.join(ROOT, 'docs', name), 'utf8');

/** Cells of all table rows whose first cell is a name in code style. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, name, rest]) => [
    name as string,
    ...(rest as string).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')),
  ]);
}

/** The part of a document under a heading, up to the next one of that level. */
function section(text: string, heading: string): string {
  const [, body] = text.split(`\n## ${heading}\n`);
  if (body === undefined) throw new Error(`no heading ${heading}`);
  return body.split('\n## ')[0] as string;
}

describe('docs/anomalies.md', () => {
  const rows = rowsOf(read('anomalies.md'));

  it('has every anomaly with its sentence', () => {
    expect(Object.fromEntries(rows.map(([name, sentence]) => [name, sentence]))).toEqual(ANOMALIES);
    expect(rows.length).toBe(Object.keys(ANOMALIES).length);
  });

  it('names cases in which they occur', () => {
    for (const [name, , where] of rows) {
      for (const [, file] of (where as string).matchAll(/\]\(\.\.\/([^)]+)\)/g)) {
        const target = file as string;
        const expectation = path.join(ROOT, target, 'exchanges.json');
        const text = readFileSync(existsSync(expectation) ? expectation : path.join(ROOT, target), 'utf8');
        expect(text.includes(name as string), `${name} in ${target}`).toBe(true);
      }
    }
  });
});

describe('docs/limits.md', () => {
  const rows = rowsOf(read('limits.md'));

  function shown(name: string, value: number): string {
    if (/Bytes/.test(name)) return value >= 2 ** 20 ? `${value / 2 ** 20} MiB` : `${value / 2 ** 10} KiB`;
    return value.toLocaleString('en-GB') + (name.endsWith('Ms') ? ' ms' : '');
  }

  it('has every limit with its default, and says what is seen when it is reached', () => {
    const defaults = Object.entries(LIMITS).map(([name, value]) => [name, shown(name, value)]);
    expect(Object.fromEntries(rows.map(([name, value]) => [name, value]))).toEqual(
      Object.fromEntries(defaults),
    );
    expect(rows.length).toBe(defaults.length);
    for (const [name, , bounds, effect] of rows) {
      expect(bounds, name).toMatch(/\w/);
      expect(effect, name).toMatch(/\w/);
    }
  });
});

describe('docs/ledger.md', () => {
  const text = read('ledger.md');

  it('has every reason for which a packet is not used, with its sentence', () => {
    const rows = rowsOf(section(text, 'Packets that are not used'));
    expect(Object.fromEntries(rows.map(([name, sentence]) => [name, sentence]))).toEqual(PACKET_REASONS);
  });

  it('has every counter', () => {
    const counters = Object.entries(new Ledger()).filter(([, value]) => typeof value === 'number');
    const rows = rowsOf(section(text, 'Counters'));
    expect(rows.map(([name]) => name).sort()).toEqual(counters.map(([name]) => name).sort());
  });

  it('has every equation as the program checks it', () => {
    const equations = [...text.matchAll(/^ {4}(\w+) = (.+)$/gm)].map(([, whole, parts]) => ({
      whole: whole as string,
      parts: (parts as string).split(' + '),
    }));
    const counts = (ledger: Ledger): Record<string, number> => ledger as unknown as Record<string, number>;
    const ledger = new Ledger();
    const wholes = new Set(equations.map(({ whole }) => whole));
    let next = 1;
    for (const { parts } of equations) {
      for (const part of parts) if (part !== 'reasons' && !wholes.has(part)) counts(ledger)[part] = next++;
    }
    ledger.notUsed[3] = 17;
    // Twice, because a whole of one equation is a part of another.
    for (let round = 0; round < 2; round++) {
      for (const { whole, parts } of equations) {
        counts(ledger)[whole] = parts.reduce(
          (sum, part) => sum + (part === 'reasons' ? 17 : (counts(ledger)[part] as number)),
          0,
        );
      }
    }
    expect(ledger.imbalances()).toEqual([]);
    for (const { whole } of equations) {
      counts(ledger)[whole] += 1;
      expect(ledger.imbalances(), whole).not.toEqual([]);
      counts(ledger)[whole] -= 1;
    }
    // And the program checks no further one.
    for (const name of Object.keys(counts(ledger))) {
      if (typeof counts(ledger)[name] !== 'number') continue;
      counts(ledger)[name] += 1;
      const isChecked = ledger.imbalances().length > 0;
      const isShown = equations.some(({ whole, parts }) => whole === name || parts.includes(name));
      expect(isShown, name).toBe(isChecked);
      counts(ledger)[name] -= 1;
    }
  });
});
