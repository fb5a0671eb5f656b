import { networkTest, parseNetwork } from './address.ts';
import { compilePattern } from './pattern.ts';

/** A function for SQLite. NULL is null, texts are strings, blobs are bytes. Must not throw. */
export interface SqlFunction {
  readonly name: string;
  readonly arity: number;
  call(...values: SqlArgument[]): number | string | null;
}
export type SqlArgument = number | string | Uint8Array | null;

/** The second argument of `wirelens_matches`, as JSON: that has no NUL, at which a text would end, and no byte order mark. */
export interface PatternArgument {
  readonly pattern: string;
  readonly ignoreCase: boolean;
}

/** Patterns and lists of networks that are kept ready; an expression has fewer. */
const READY = 1_024;

/** What the SQL of filters calls. NULL gives NULL. Each set has a memory of its own, of bounded size. */
export function sqlFunctions(): readonly SqlFunction[] {
  const patterns = new Map<string, (text: string) => boolean>();
  const networks = new Map<string, (address: string) => boolean>();
  return [
    {
      name: 'wirelens_matches',
      arity: 2,
      call(value, given) {
        if (value === null || given === null) return null;
        const test = ready(patterns, textOf(given), (text) => {
          const { pattern, ignoreCase } = JSON.parse(text) as PatternArgument;
          const compiled = compilePattern(pattern, ignoreCase);
          return (one) => compiled.test(one);
        });
        return test(textOf(value)) ? 1 : 0;
      },
    },
    {
      name: 'wirelens_in_networks',
      arity: 2,
      call(address, list) {
        if (address === null || list === null) return null;
        const test = ready(networks, textOf(list), (text) =>
          networkTest(
            text
              .split(' ')
              .map(parseNetwork)
              .filter((one) => one !== null),
          ),
        );
        return test(textOf(address)) ? 1 : 0;
      },
    },
  ];
}

function textOf(value: Exclude<SqlArgument, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

function ready<Test>(memory: Map<string, Test>, key: string, make: (key: string) => Test): Test {
  let test = memory.get(key);
  if (test === undefined) {
    test = make(key);
    if (memory.size >= READY) memory.clear();
    memory.set(key, test);
  }
  return test;
}
