import { describe, expect, it } from 'vitest';
import type { UserError } from '../../model/errors.ts';
import { AGENT_OPTIONS } from './agent-options.ts';
import { agentSettings, withComputed } from './agent-settings.ts';
import { parseConfig } from './config-file.ts';
import { type Environment, effectiveSettings, type Settings, strangeVariables } from './configuration.ts';
import { printedConfig } from './print-config.ts';

function settingsOf(layers: { flags?: Record<string, unknown>; env?: Environment; file?: string }): Settings {
  return effectiveSettings({
    // As commander does for --no-promiscuous.
    flags: { promiscuous: true, ...layers.flags },
    env: layers.env ?? {},
    file: parseConfig(layers.file ?? '', 'agent.yaml'),
  });
}
const words = (settings: Settings, name: string) => settings.get(name)?.words;
const source = (settings: Settings, name: string) => settings.get(name)?.source;

function mistake(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    expect((error as Error).name).toBe('UserError');
    return error as UserError;
  }
  throw new Error('nothing was wrong');
}

describe('settings of an agent', () => {
  it('come from options, then the environment, then the file, then the downward API, then defaults', () => {
    const file = 'spool-size: 1GiB\nnode: from-file\nheartbeat: 20s\nport: [80, 8080]\n';
    const env = {
      WIRELENS_SPOOL_SIZE: '2GiB',
      WIRELENS_HEARTBEAT: '30s',
      NODE_NAME: 'from-downward',
      POD_NAME: 'pod-1',
    };
    const settings = settingsOf({ flags: { heartbeat: '40s' }, env, file });
    expect(['heartbeat', 'spool-size', 'node', 'pod', 'port', 'batch-rows'].map((name) => [words(settings, name), source(settings, name)])).toEqual([
      ['40s', '--heartbeat'],
      ['2GiB', 'environment WIRELENS_SPOOL_SIZE'],
      ['from-file', 'agent.yaml line 2'],
      ['pod-1', 'environment POD_NAME'],
      [['80', '8080'], 'agent.yaml line 4'],
      ['2000', 'default'],
    ]); // biome-ignore format: a table
    const all = agentSettings(settings, env);
    expect(all).toMatchObject({ heartbeatMs: 40_000, spoolLimitBytes: 2 * 1024 ** 3, batchRows: 2000 });
    expect(all.identity).toMatchObject({ node: 'from-file', pod: 'pod-1' });
    expect(all.live.port).toEqual([80, 8080]);
  });

  it('can each be given in all three places', () => {
    const values: Record<string, string> = {
      driver: 'afpacket', interface: 'eth0', port: '80', host: '10.0.0.1', net: '10.0.0.0/8', fanout: '7', workers: '2',
      'keep-header': 'x-a', 'drop-header': 'x-b', 'mask-parameter': 'user', 'batch-rows': '10',
      'max-connections': '5', 'log-format': 'json', 'log-level': 'warn', snaplen: '100',
    }; // biome-ignore format: a table
    for (const { name, kind, check, choices } of AGENT_OPTIONS) {
      const text =
        kind === 'flag' ? 'true' : (values[name] ?? (check === undefined ? 'some-text' : '200MiB'));
      const isTime = check !== undefined && choices === undefined && values[name] === undefined;
      const given = isTime && /timeout|retry|heartbeat|time$/.test(name) ? '3s' : text;
      const expected = kind === 'flag' ? true : kind === 'list' ? [given] : given;
      const env = { [`WIRELENS_${name.toUpperCase().replaceAll('-', '_')}`]: given };
      expect([name, words(settingsOf({ env }), name)]).toEqual([name, expected]);
      expect([name, words(settingsOf({ file: `${name}: ${given}` }), name)]).toEqual([name, expected]);
    }
  });

  it('says no to promiscuous mode and back', () => {
    expect(agentSettings(settingsOf({ flags: { promiscuous: false } }), {}).live.promiscuous).toBe(false);
    expect(agentSettings(settingsOf({ env: { WIRELENS_PROMISCUOUS: 'no' } }), {}).live.promiscuous).toBe(
      false,
    );
    expect(agentSettings(settingsOf({}), {}).live.promiscuous).toBe(true);
  });

  it.each([
    ['spool-sise: 1GiB', /line 1, column 1: there is no spool-sise/, /did you mean spool-size/],
    ['port: 80\nspool-size: big', /agent.yaml line 2: spool-size cannot be 'big'/, null],
    ['insecure-reveal: maybe', /line 1, column 18: insecure-reveal must be true or false/, null],
    ['server: [a, b]', /server takes one value/, null],
    ['- server', /the configuration is no map/, null],
    ['driver: afpaket', /driver cannot be 'afpaket'/, /did you mean afpacket/],
    ['a: b: c', /not valid YAML/, null],
    ['max-memory: 1MiB', /max-memory cannot be '1MiB'.*128MiB or more/, null],
  ])('tells where a mistake in a file is: %s', (file, message, hint) => {
    const error = mistake(() => settingsOf({ file }));
    expect(error.message).toMatch(message);
    if (hint !== null) expect(error.hint).toMatch(hint);
    expect(error.exitCode).toBe(2);
  });

  it('tells which variable is wrong, and never shows a token', () => {
    expect(mistake(() => settingsOf({ env: { WIRELENS_PORT: '99999' } })).message).toMatch(/environment WIRELENS_PORT: port cannot be '99999'/);
    expect(mistake(() => settingsOf({ env: { WIRELENS_CHECKSUMS: 'x' } })).message).toContain('WIRELENS_CHECKSUMS');
    const error = mistake(() => settingsOf({ file: 'token: [hush-hush]' }));
    expect(JSON.stringify([error.message, error.hint, error.excerpt])).not.toContain('hush');
  }); // biome-ignore format: short

  it('leaves alone what Kubernetes sets for services, and names what nobody knows', () => {
    const env = {
      WIRELENS_PORT: 'tcp://10.96.0.7:80',
      WIRELENS_SERVICE_HOST: '10.96.0.7',
      WIRELENS_SERVER_PORT_8080_TCP_ADDR: '10.96.0.8',
      WIRELENS_SPOL_SIZE: '1GiB',
      WIRELENS_SERVER: 'http://there:8080',
    };
    expect(words(settingsOf({ env }), 'port')).toBeUndefined();
    expect(strangeVariables(env)).toEqual([
      'WIRELENS_SPOL_SIZE is not a setting; did you mean WIRELENS_SPOOL_SIZE?',
    ]);
  });

  it('takes the token from the nearer place', () => {
    const of = (layers: Parameters<typeof settingsOf>[0]) => {
      const { token, tokenFile } = agentSettings(settingsOf(layers), {});
      return [token, tokenFile];
    };
    const env = { WIRELENS_TOKEN: 'from-env\n' };
    expect(of({ env })).toEqual(['from-env', null]);
    expect(of({ env, flags: { tokenFile: 'f' } })).toEqual([null, 'f']);
    expect(of({ env, file: 'token-file: f' })).toEqual(['from-env', null]);
    expect(of({ file: 'token: t' })).toEqual(['t', null]);
    expect(of({})).toEqual([null, null]);
  });

  it('prints what --config accepts again, and no secret', () => {
    const flags = {
      filter: 'tcp port 80 and host "a\u001b"',
      interface: ['eth0', 'on'],
      net: ['10.0.0.0/8'],
    };
    const env = { WIRELENS_TOKEN: 'hush-hush', WIRELENS_WHERE: "status >= 500 # it's" };
    const settings = settingsOf({ flags, env });
    const printed = printedConfig(settings);
    expect(printed).not.toContain('hush');
    expect(printed).not.toContain('\u001b');
    const again = settingsOf({ file: printed });
    for (const { name, secret } of AGENT_OPTIONS)
      if (secret !== true) expect([name, words(again, name)]).toEqual([name, words(settings, name)]);
  });

  it('prints what is computed where nothing was set', () => {
    const env = { HOME: '/home/me' };
    const settings = settingsOf({ env });
    const printed = printedConfig(withComputed(settings, agentSettings(settings, env)));
    expect(printed).toMatch(/^agent-name: \S+ +# default$/m);
    expect(printed).toMatch(/^max-connections: "16384" +# default$/m);
    expect(printed).toMatch(/^spool: \S*wirelens\/spool +# default$/m);
    expect(printed).toMatch(/^# pod: +# not set$/m);
  });

  it('refuses what does not go together', () => {
    const wrong = (flags: Record<string, unknown>) => mistake(() => agentSettings(settingsOf({ flags }), {}));
    expect(wrong({ buffer: '200MiB' }).message).toContain('more than half of --max-memory');
    expect(wrong({ filter: '-' }).hint).toContain('wirelens upload');
    expect(wrong({ agentName: 'a\nb' }).message).toContain('--agent-name');
    expect(wrong({ statusListen: 'nowhere' }).hint).toContain('HOST:PORT');
  });

  it('bounds what the pipeline holds by the memory', () => {
    const limits = (maxMemory: string) => agentSettings(settingsOf({ flags: { maxMemory } }), {}).limits;
    expect(limits('256MiB')).toMatchObject({ connections: 16_384, pendingBytesTotal: 16 * 1024 ** 2 });
    // Never more than a capture has.
    expect(limits('64GiB').connections).toBe(65_536);
  });
});
