import { describe, expect, it } from 'vitest';
import { UserError } from '../model/errors.ts';
import { statColumns } from './columns.ts';
import { percentile } from './percentiles.ts';
import { askedFor, type QuestionWords } from './question.ts';
import { parseSort, sortColumn } from './sort.ts';

function complaint(words: QuestionWords): string {
  try {
    const { question, sort } = askedFor(words);
    sortColumn(statColumns(question), sort);
  } catch (error) {
    if (error instanceof UserError) return `${error.exitCode}: ${error.message}; ${error.hint}`;
    throw error;
  }
  return 'fine';
}

describe('the question', () => {
  it.each<[QuestionWords, string]>([
    [{ by: 'rout' }, "2: --by: there is no field 'rout'; did you mean route?"],
    [{ by: 'url' }, 'did you mean target?'],
    [{ by: 'wait' }, '--metric wait shows percentiles of it'],
    [{ by: 'time' }, '--every'],
    [{ by: 'id' }, 'makes no groups'],
    [{ by: ',' }, 'names no field'],
    [{ metric: 'wiat' }, 'did you mean wait?'],
    [{ percentiles: '50,101' }, "'101' is not a percentile"],
    [{ percentiles: '0' }, "'0' is not a percentile"],
    [{ percentiles: 'x' }, "'x' is not a percentile"],
    [{ slow: 'any', bigRequest: true }, 'exclude each other'],
    [{ slow: 'any', metric: 'request.bytes' }, '--slow goes by a time'],
    [{ bigResponse: true, metric: 'wait' }, 'goes by response.bytes'],
    [{ sort: 'p98.x' }, 'there is no column'],
    [{ sort: 'cuont' }, 'did you mean count?'],
    [{ sort: 'status' }, "no column 'status'"],
    [{ by: 'route,route,status', sort: 'status:desc' }, 'fine'],
    [{ by: 'header["x-a,b"],none' }, 'no field \'header["x-a,b"]\''],
    [{ by: 'header[x-request-id],status' }, 'fine'],
    [{ by: 'none' }, 'fine'],
    [{ sort: 'p95' }, 'fine'],
    [{ sort: 'p99_ms' }, 'fine'],
    [{ sort: '-4xx' }, 'fine'],
  ])('%j: %s', (words, expected) => {
    expect(complaint(words)).toContain(expected);
  });

  it('shows the percentile that it sorts by', () => {
    const { question } = askedFor({ sort: '-p95', percentiles: '99,50' });
    expect(question.percentiles.map(({ label }) => label)).toEqual(['p50', 'p95', 'p99']);
  });

  it('asks for the header fields that it groups by', () => {
    expect(askedFor({ by: 'header["X-Trace"],host,header["host"]' }).headers).toEqual(['x-trace']);
  });

  it('reads directions of sorting', () => {
    expect(parseSort('p99')).toEqual({ column: 'p99', direction: undefined });
    expect(parseSort('-p99')).toEqual({ column: 'p99', direction: 'desc' });
    expect(parseSort('host:asc')).toEqual({ column: 'host', direction: 'asc' });
    expect(parseSort('-host:asc')).toEqual({ column: 'host', direction: 'asc' });
  });

  it('reads percentiles exactly', () => {
    expect(percentile('99.9')).toEqual({ label: 'p99.9', thousandths: 99_900 });
    expect(percentile('p050.500')).toEqual({ label: 'p50.5', thousandths: 50_500 });
    expect(percentile('100.001')).toBeNull();
    expect(percentile('1e1')).toBeNull();
  });
});
