import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultDataFolder } from './data-folder.ts';
import { parseAge, parseKeptSize, parseListen, parseMemory } from './server-option-values.ts';
import { checkAccess, readTokens } from './token-files.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-flags-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('options of wirelens server', () => {
  it('keeps for a time, or for ever', () => {
    expect(parseAge('14d')).toBe(14 * 86_400);
    expect(parseAge('12h')).toBe(43_200);
    expect(parseAge('0.5d')).toBe(43_200);
    expect(parseAge('none')).toBeNull();
    for (const text of ['10s', '0d', '', 'for ever', '-1d']) expect(() => parseAge(text)).toThrow();
  });

  it('keeps so much, or everything', () => {
    expect(parseKeptSize('20GB')).toBe(20e9);
    expect(parseKeptSize('none')).toBeNull();
    for (const text of ['1MB', '-1GB', 'much']) expect(() => parseKeptSize(text)).toThrow();
    expect(parseMemory('1GiB')).toBe(2 ** 30);
    expect(() => parseMemory('100MB')).toThrow('128MB');
  });

  it('says how an address is written', () => {
    expect(() => parseListen('127.0.0.1')).toThrow('HOST:PORT');
  });

  it('takes tokens from a file before the environment, and never none from an empty one', () => {
    const file = path.join(folder, 'agents');
    writeFileSync(file, 'token-in-file\n');
    const env = {
      WIRELENS_AGENT_TOKEN: 'token-in-environment',
      WIRELENS_READER_TOKEN: 'reader-in-environment',
    };
    const tokens = readTokens({ agentTokenFile: file }, env);
    expect([tokens.agent?.has('token-in-file'), tokens.agent?.has('token-in-environment')]).toEqual([
      true,
      false,
    ]);
    expect(tokens.reader?.has('reader-in-environment')).toBe(true);
    expect(readTokens({}, {})).toEqual({ agent: null, reader: null });
    expect(() => readTokens({}, { WIRELENS_AGENT_TOKEN: '' })).toThrow('WIRELENS_AGENT_TOKEN holds no token');
    expect(() => readTokens({ readerTokenFile: path.join(folder, 'none') }, {})).toThrow('no such file');
  });

  it('refuses to be open to others without tokens of both kinds', () => {
    const reader = readTokens({}, { WIRELENS_READER_TOKEN: 'reader-token' });
    const both = readTokens(
      {},
      { WIRELENS_READER_TOKEN: 'reader-token', WIRELENS_AGENT_TOKEN: 'agents-token' },
    );
    const none = readTokens({}, {});
    const everywhere = { host: '0.0.0.0', port: 80 };
    expect(() => checkAccess({ host: '::1', port: 80 }, none, {})).not.toThrow();
    expect(() => checkAccess(everywhere, both, {})).not.toThrow();
    expect(() => checkAccess(everywhere, none, { insecure: true })).not.toThrow();
    for (const tokens of [none, reader])
      expect(() => checkAccess(everywhere, tokens, {})).toThrow(
        expect.objectContaining({ code: 'no-tokens', exitCode: 2 }),
      );
    expect(() => checkAccess({ host: '10.0.0.1', port: 80 }, reader, {})).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('give --agent-token-file (or') }),
    );
  });

  it('puts the database where services and people have theirs', () => {
    expect(defaultDataFolder({}, true)).toBe('/var/lib/wirelens/server');
    expect(defaultDataFolder({ XDG_STATE_HOME: '/s' }, false)).toBe('/s/wirelens/server');
    expect(defaultDataFolder({ XDG_STATE_HOME: 'relative' }, false)).toMatch(
      /\/\.local\/state\/wirelens\/server$/,
    );
  });
});
