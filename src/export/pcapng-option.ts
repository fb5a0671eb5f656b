/** Options of pcapng blocks (draft-ietf-opsawg-pcapng §3.5), little-endian. Codes mean what their block says. */

export const OPTION = {
  end: 0,
  comment: 1,
  application: 4,
  name: 2,
  system: 3,
  resolution: 9,
  filter: 11,
  since: 2,
  received: 4,
  dropped: 5,
} as const;

export interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** First byte of if_filter: what follows is a text as libpcap takes it. */
const FILTER_IS_TEXT = 0;
/** Bytes of one option's value, by its 16-bit length. */
const OPTION_BYTES = 65_535;

/** Up to the next 32-bit boundary. */
export function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Bytes that the options take, their end included; 0: there are none. */
export function optionsBytes(options: readonly Option[]): number {
  let bytes = options.length === 0 ? 0 : 4;
  for (const { value } of options) bytes += 4 + padded(value.length);
  return bytes;
}

export const NO_OPTIONS: readonly Option[] = [];
const utf8 = new TextEncoder();

/** Options hold no NUL-terminated strings, but readers may stop at one. */
export function textOption(code: number, text: string): Option {
  const target = new Uint8Array(Math.min(OPTION_BYTES, text.length * 3));
  const { written } = utf8.encodeInto(text.replaceAll('\0', ''), target);
  return { code, value: target.subarray(0, written) };
}

export function filterOption(filter: string): Option {
  const { value } = textOption(OPTION.filter, filter);
  const kept = value.subarray(0, OPTION_BYTES - 1);
  return { code: OPTION.filter, value: Uint8Array.of(FILTER_IS_TEXT, ...kept) };
}

export function commentOptions(comments: readonly string[] | undefined): Option[] {
  return (comments ?? []).map((text) => textOption(OPTION.comment, text));
}

export function counter(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, Math.round(value))), true);
  return bytes;
}

/** A time stamp as the value of an option, for isb_starttime: the upper 32 bits come first, also where bytes are little-endian. */
export function stampBytes(high: number, low: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, high, true);
  view.setUint32(4, low, true);
  return bytes;
}
