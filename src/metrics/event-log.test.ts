import { describe, expect, it } from 'vitest';
import { createEventLog, type LogLevel } from './event-log.ts';

const NOW = 1_795_246_920_500; // 2026-11-21T07:42:00.5Z

function logged(format: 'json' | 'text', level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createEventLog({
    level,
    format,
    name: 'server',
    write: (line) => lines.push(line),
    now: () => NOW,
  });
  return { log, lines };
}

describe('the log of a process', () => {
  it("writes pino's lines", () => {
    const { log, lines } = logged('json');
    log.warn({ file: '/a', bytes: 3, gone: undefined, msg: 'not this' }, 'a file is large');
    expect(lines).toEqual([
      '{"level":40,"time":1795246920500,"name":"server","file":"/a","bytes":3,"msg":"a file is large"}\n',
    ]);
  });

  it('writes lines for people', () => {
    const { log, lines } = logged('text');
    log.info({ url: 'http://127.0.0.1:1', note: 'two words' }, 'listens');
    log.error({}, 'broken');
    expect(lines).toEqual([
      '07:42:00.500 listens  url=http://127.0.0.1:1  note="two words"\n',
      '07:42:00.500 error: broken\n',
    ]);
  });

  it('stays one harmless line whatever the fields hold', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const format of ['json', 'text'] as const) {
      const { log, lines } = logged(format);
      log.info(
        { name: 'x\n\x1b[2J\u202e\ud800', circle, long: 'y'.repeat(9000), error: new Error('no') },
        'a\nb',
      );
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[\x20-\x7e…]*\n$/);
      expect(lines[0]?.length).toBeLessThan(2500);
      if (format === 'json')
        expect(JSON.parse(lines[0] as string)).toMatchObject({ msg: 'a\nb', error: 'no' });
    }
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = logged('json', 'warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c', 'd']);
  });
});
