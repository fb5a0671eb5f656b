import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import { FieldFacts } from './field-facts.ts';
import { FieldMemo } from './field-memo.ts';

const REQUEST = false;
const RESPONSE = true;
/** So many sections remembered last are found for a connection that has sent none of them. */
const LATEST = 4;
const SLOT_BYTES = 1024;

const section = (value: string): string => `Host: ${value}\r\n\r\n`;
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The texts in the middle of a block of other bytes, and that in a larger buffer, as packets are. */
class Sections {
  readonly memo = new FieldMemo();

  remember(slot: number, isResponse: boolean, text: string): FieldFacts {
    const facts = new FieldFacts();
    const { bytes, start, end } = packed(text);
    this.memo.remember(slot, isResponse, bytes, start, end, facts);
    // The capture goes on in the same block.
    bytes.fill(0x2a);
    return facts;
  }

  find(slot: number, isResponse: boolean, text: string, after = 'body'): FieldFacts | null {
    const { bytes, start, end } = packed(`${text}${after}`);
    return this.memo.find(slot, isResponse, bytes, start, end);
  }
}

function packed(text: string): { bytes: Uint8Array; start: number; end: number } {
  const buffer = new Uint8Array(text.length + 40).fill(0x41);
  const bytes = buffer.subarray(7);
  bytes.set(bytesOf(text), 11);
  return { bytes, start: 11, end: 11 + text.length };
}

describe('header sections remembered', () => {
  it('are found again with their meaning and length, whatever follows them', () => {
    const sections = new Sections();
    const text = section('shop.test');
    const facts = sections.remember(6, REQUEST, text);
    for (const after of ['', 'x', 'GET / HTTP/1.1\r\n']) {
      expect(sections.find(6, REQUEST, text, after)).toBe(facts);
      expect([sections.memo.slot, sections.memo.length]).toEqual([6, text.length]);
    }
  });

  it('are not found while their last byte is missing, nor where it lies beyond the bytes at hand', () => {
    const sections = new Sections();
    const text = section('shop.test');
    sections.remember(6, REQUEST, text);
    expect(sections.find(6, REQUEST, text.slice(0, -1), '')).toBeNull();
    const { bytes, start, end } = packed(text);
    expect(sections.memo.find(6, REQUEST, bytes, start, end - 1)).toBeNull();
  });

  it('differ by any one byte, the last ones too', () => {
    for (const length of [1, 3, 4, 15, 16, 17, 18, 19, 20, 67]) {
      const text = 'abcdefgh'.repeat(9).slice(0, length);
      const sections = new Sections();
      const facts = sections.remember(1, REQUEST, text);
      for (let at = 0; at < length; at += 1) {
        const other = `${text.slice(0, at)}~${text.slice(at + 1)}`;
        expect(sections.find(1, REQUEST, other), `byte ${at} of ${length}`).toBeNull();
      }
      expect(sections.find(1, REQUEST, text)).toBe(facts);
    }
  });

  it('mean something else in requests than in responses', () => {
    const sections = new Sections();
    const text = section('shop.test');
    sections.remember(1, REQUEST, text);
    expect(sections.find(1, RESPONSE, text)).toBeNull();
    const facts = sections.remember(2, RESPONSE, text);
    expect(sections.find(2, RESPONSE, text)).toBe(facts);
    expect(sections.find(2, REQUEST, text)).not.toBe(facts);
  });

  it('of other connections are found while they are among the last ones of their kind', () => {
    const sections = new Sections();
    const texts = Array.from({ length: LATEST + 1 }, (_, index) => section(`host-${index}`));
    const facts = texts.map((text, index) => sections.remember(10 + index, REQUEST, text));
    for (let index = 0; index < 20; index += 1)
      sections.remember(100 + index, RESPONSE, section(`s${index}`));
    const foundFrom99 = texts.map((text) => sections.find(99, REQUEST, text));
    expect(foundFrom99).toEqual([null, ...facts.slice(1)]);
    foundFrom99.forEach((found, index) => {
      if (found !== null) expect(found).toBe(facts[index]);
    });
    expect(sections.find(10, REQUEST, texts[0] as string)).toBe(facts[0]);
    // Where it was found is told, so that it is looked for there first the next time.
    sections.find(99, REQUEST, texts[3] as string);
    expect(sections.memo.slot).toBe(13);
  });

  it('give way to a newer one in their slot', () => {
    const sections = new Sections();
    const older = section('a-long-name.shop.test');
    sections.remember(5, REQUEST, older);
    const facts = sections.remember(5, REQUEST, section('b'));
    expect(sections.find(5, REQUEST, older)).toBeNull();
    expect(sections.find(5, REQUEST, section('b'))).toBe(facts);
  });

  it('are kept up to the size of a slot, and a longer one leaves what was there and what lies beside it', () => {
    const sections = new Sections();
    const whole = (letter: string): string => letter.repeat(SLOT_BYTES - 4).concat('\r\n\r\n');
    const kept = [20, 21, 22].map((slot) => sections.remember(slot, REQUEST, whole(`${slot % 10}`)));
    sections.remember(21, REQUEST, `x${whole('1')}`);
    expect(sections.find(21, REQUEST, `x${whole('1')}`)).toBeNull();
    [20, 21, 22].forEach((slot, index) => {
      expect(sections.find(slot, REQUEST, whole(`${slot % 10}`))).toBe(kept[index]);
    });
  });

  it('have a slot for each direction of neighbouring connections, which far ones share', () => {
    const { memo } = new Sections();
    const slots = new Set<number>();
    for (let connection = 1; connection <= 2048; connection += 1) {
      for (const direction of [0, 1]) slots.add(memo.slotOf(connection, direction));
    }
    expect(slots.size).toBe(4096);
    expect(memo.slotOf(1, 0)).toBe(memo.slotOf(2049, 0));
    // A run may have more connections than a 32-bit number of directions.
    for (const slot of [memo.slotOf(2 ** 31, 1), memo.slotOf(2 ** 40 + 7, 0)]) expect(slots).toContain(slot);
  });

  const slot = fc.constantFrom(0, 1, 2, 3, 4, 5, 4095);
  // Alike but for their ends, and of lengths around those at which bytes are compared in fours.
  const text = fc
    .tuple(fc.nat({ max: 12 }), fc.constantFrom('a', 'b', 'aa', 'ab'))
    .map(([length, tail]) => section('h'.repeat(length) + tail));

  it('are those that a plain list gives, and never another one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), slot, fc.boolean(), text), { maxLength: 60 }), (steps) => {
        const sections = new Sections();
        const held = new Map<number, { isResponse: boolean; text: string }>();
        const meanings = new Map<FieldFacts, string>();
        const latest: Record<string, number[]> = { true: [], false: [] };
        for (const [adds, at, isResponse, bytes] of steps) {
          if (adds) {
            meanings.set(sections.remember(at, isResponse, bytes), `${isResponse} ${bytes}`);
            held.set(at, { isResponse, text: bytes });
            latest[`${isResponse}`]?.push(at);
            continue;
          }
          const found = sections.find(at, isResponse, bytes);
          const isHeld = [at, ...(latest[`${isResponse}`] as number[]).slice(-LATEST)].some(
            (place) => held.get(place)?.isResponse === isResponse && held.get(place)?.text === bytes,
          );
          if (isHeld) expect(found).not.toBeNull();
          if (found === null) continue;
          expect(meanings.get(found)).toBe(`${isResponse} ${bytes}`);
          expect(held.get(sections.memo.slot)).toEqual({ isResponse, text: bytes });
          expect(sections.memo.length).toBe(bytes.length);
        }
      }),
      { numRuns: fuzzRuns(300) },
    );
  });
});
