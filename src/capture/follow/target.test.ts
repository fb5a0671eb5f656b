import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeError, type UserError } from '../../model/errors.ts';
import { followTarget } from './target.ts';
import { nodeFileWatch } from './watch.ts';

let folder = '';
const watch = nodeFileWatch();
const place = (...names: string[]): string => path.join(folder, ...names);
const write = (...names: string[]): void => {
  fs.mkdirSync(path.dirname(place(...names)), { recursive: true });
  fs.writeFileSync(place(...names), 'x');
};

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'wirelens-target-'));
});
afterEach(() => {
  watch.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function found(text: string): Promise<{ names: string[]; problems: string[] }> {
  const problems: string[] = [];
  const target = await followTarget(text, watch);
  const paths = await target.paths(watch, (where) => problems.push(where));
  return { names: paths.map((one) => path.relative(folder, one)).sort(), problems };
}

describe('what an argument names', () => {
  it('is a file, also one that does not exist yet', async () => {
    expect((await found(place('a.pcap'))).names).toEqual([]);
    write('a.pcap');
    expect((await found(place('a.pcap'))).names).toEqual(['a.pcap']);
  });

  it('is every file of a directory, hidden ones excepted', async () => {
    write('a');
    write('b');
    write('.c');
    expect((await found(folder)).names).toEqual(['a', 'b']);
    expect((await found(`${folder}/`)).names).toEqual(['a', 'b']);
  });

  it('is what a pattern matches, also in several directories', async () => {
    write('n1', 'trace-1.pcap');
    write('n2', 'trace-2.pcap');
    write('n2', 'other.pcap');
    write('x', 'trace-3.pcap');
    expect((await found(place('n?', 'trace-*'))).names).toEqual(['n1/trace-1.pcap', 'n2/trace-2.pcap']);
    expect((await found(place('n*', '*'))).problems).toEqual([]);
  });

  it('is nothing, without a complaint, while the directory of a pattern is missing', async () => {
    expect(await found(place('later', 'trace-*'))).toEqual({ names: [], problems: [] });
  });

  it('is a file whose name looks like a pattern, when there is one', async () => {
    write('trace[1].pcap');
    write('trace1.pcap');
    expect((await found(place('trace[1].pcap'))).names).toEqual(['trace[1].pcap']);
  });

  it('is not standard input, and not a device', async () => {
    const refusal = (text: string): Promise<string> =>
      followTarget(text, watch).then(String, (error: UserError) => describeError(error));
    expect(await refusal('-')).toContain('wirelens analyze - --format table');
    expect(await refusal('/dev/null')).toContain('is a pipe or a device');
  });
});
