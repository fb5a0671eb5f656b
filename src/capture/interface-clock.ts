import { NS_PER_SECOND } from './capture-reader.ts';

const TWO_32 = 2 ** 32;
/** if_tsresol where the option is missing: microseconds. */
export const DEFAULT_RESOLUTION = 6;
/** Digits that a time in nanoseconds can show. */
const MAX_DIGITS = 9;

/**
 * Turns the 64-bit time stamps of one pcapng interface into nanoseconds since the run's epoch
 * (draft-ietf-opsawg-pcapng §4.2: if_tsresol, if_tsoffset). Exact for times within 104 days of the epoch; what is
 * finer than a nanosecond is cut off. The epoch in ticks is computed once, with BigInt; a packet then takes
 * differences of its two halves. Only resolutions that plain numbers cannot follow take a BigInt per packet.
 */
export class InterfaceClock {
  /** Digits after the second that its times have, 9 at most. */
  readonly digits: number;
  readonly #ticksPerSecond: bigint;
  readonly #offsetSeconds: bigint;
  readonly #way: 'multiply' | 'divide' | 'binary' | 'exact';
  /** multiply: ns per tick; divide: ticks per ns; binary: ticks per second. */
  readonly #factor: number;
  #epochSeconds = 0;
  #highOrigin = 0;
  #lowOrigin = 0;

  /** `resolution`: the octet of if_tsresol. `offsetSeconds`: if_tsoffset. */
  constructor(resolution: number, offsetSeconds: bigint) {
    const exponent = resolution & 0x7f;
    const binary = (resolution & 0x80) !== 0;
    this.#offsetSeconds = offsetSeconds;
    this.#ticksPerSecond = (binary ? 2n : 10n) ** BigInt(exponent);
    this.digits = Math.min(MAX_DIGITS, binary ? Math.ceil(exponent * Math.log10(2)) : exponent);
    if (binary) {
      this.#way = exponent <= 32 ? 'binary' : 'exact';
      this.#factor = 2 ** exponent;
    } else {
      this.#way = exponent <= 9 ? 'multiply' : exponent <= 15 ? 'divide' : 'exact';
      this.#factor = exponent <= 9 ? 10 ** (9 - exponent) : 10 ** (exponent - 9);
    }
  }

  /** The whole second, since 1970, of a time stamp. Takes BigInt: for the first packet of a run. */
  wholeSeconds(high: number, low: number): number {
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    return Number(ticks / this.#ticksPerSecond + this.#offsetSeconds);
  }

  /** To be called before `nanoseconds`, and again whenever the epoch moves. */
  setEpoch(epochSeconds: number): void {
    this.#epochSeconds = epochSeconds;
    const ticks = (BigInt(epochSeconds) - this.#offsetSeconds) * this.#ticksPerSecond;
    this.#highOrigin = Number(ticks >> 32n);
    this.#lowOrigin = Number(ticks & 0xffff_ffffn);
  }

  /** `high` and `low`: the two 32-bit halves of a time stamp. */
  nanoseconds(high: number, low: number): number {
    const factor = this.#factor;
    const highs = high - this.#highOrigin;
    const lows = low - this.#lowOrigin;
    if (this.#way === 'multiply') return (highs * TWO_32 + lows) * factor;
    if (this.#way === 'divide') {
      const quotient = Math.floor(TWO_32 / factor);
      return highs * quotient + Math.floor((highs * (TWO_32 - quotient * factor) + lows) / factor);
    }
    const ticks = highs * TWO_32 + lows;
    if (this.#way === 'binary' && Number.isSafeInteger(ticks)) {
      const seconds = Math.floor(ticks / factor);
      // The fraction as 32 bits, taken in two halves so that every product stays below 2^53.
      const fraction = (ticks - seconds * factor) * (TWO_32 / factor);
      const upper = Math.floor(fraction / 65536);
      const lower = fraction - upper * 65536;
      const carried = Math.floor((lower * NS_PER_SECOND) / 65536);
      return seconds * NS_PER_SECOND + Math.floor((upper * NS_PER_SECOND + carried) / 65536);
    }
    return this.#exactly(high, low);
  }

  #exactly(high: number, low: number): number {
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    const sinceOffset = (ticks * 1_000_000_000n) / this.#ticksPerSecond;
    const seconds = this.#offsetSeconds - BigInt(this.#epochSeconds);
    return Number(sinceOffset + seconds * 1_000_000_000n);
  }
}
