import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream, type ServerEvent } from './event-stream.ts';

const read = (pieces: readonly Uint8Array[], lastId = ''): { events: ServerEvent[]; stream: EventStream } => {
  const stream = new EventStream(lastId);
  return { events: pieces.flatMap((piece) => [...stream.push(piece)]), stream };
};
const text = (...lines: string[]): Uint8Array[] => [Buffer.from(`${lines.join('\n')}\n`)];

describe('reading an event stream', () => {
  it('gives name, data and id, and leaves comments out', () => {
    const { events } = read(text(': comment', 'event: exchange', 'id: 7', 'data: {"a":', 'data: 1}', ''));
    expect(events).toEqual([{ event: 'exchange', id: '7', data: '{"a":\n1}' }]);
  });

  it('takes an id without data as a place to go on from', () => {
    const { events, stream } = read(text('retry: 2000', 'id: 41', ''));
    expect(events).toEqual([]);
    expect(stream.lastId).toBe('41');
    expect(stream.retryMs).toBe(2000);
  });

  it('does not move on to an event that was cut off: it must come again', () => {
    const { stream } = read(text('id: 1', 'data: a', '', 'id: 2', 'data: b'));
    expect(stream.lastId).toBe('1');
  });

  it('ends every line at LF, CR or CR LF', () => {
    for (const end of ['\n', '\r', '\r\n'])
      expect(read([Buffer.from(`id: 1${end}data: x${end}${end}data: y${end}${end}`)]).events).toEqual([
        { event: 'message', id: '1', data: 'x' },
        { event: 'message', id: '1', data: 'y' },
      ]);
  });

  it('gives the same events however the bytes are cut', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replace(/[\r\n]/g, ' ')),
    );
    const event = fc.record({ id: fc.nat(), data: fc.array(line, { minLength: 1, maxLength: 3 }) });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        (events, cuts, end) => {
          const bytes = Buffer.from(
            events
              .map(({ id, data }) => [`id: ${id}`, ...data.map((one) => `data: ${one}`), '', ''].join(end))
              .join(''),
          );
          const places = [
            0,
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
          expect(read(pieces).events).toEqual(
            events.map(({ id, data }) => ({ event: 'message', id: String(id), data: data.join('\n') })),
          );
        },
      ),
    );
  });

  it('does not hold an event that never ends', () => {
    const stream = new EventStream('');
    const piece = Buffer.from(`data: ${'x'.repeat(1024 * 1024)}\n`);
    expect(() => {
      for (let count = 0; count < 20; count += 1) [...stream.push(piece)];
    }).toThrow(RangeError);
  });
});
