/** Below this many bytes a view is not worth asking for. */
const FEW_BYTES = 16;

// The blocks of a capture are two buffers in turn: their views are made once per block, not per comparison.
// Asking a typed array for its buffer costs more than most comparisons, so the array itself is the key.
let lastBytes: Uint8Array | null = null;
let lastView: DataView = new DataView(new ArrayBuffer(0));
let olderBytes: Uint8Array | null = null;
let olderView: DataView = lastView;

/** A view whose offsets are those of `bytes`. */
function viewOf(bytes: Uint8Array): DataView {
  if (bytes === lastBytes) return lastView;
  const view =
    bytes === olderBytes ? olderView : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  olderBytes = lastBytes;
  olderView = lastView;
  lastBytes = bytes;
  lastView = view;
  return view;
}

/** Bytes that others are compared with, four at a time: several times as fast as one by one. */
export class KnownBytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** True when `length` bytes from `at` equal those of `other` from `otherAt`. The caller has checked the bounds. */
  equal(at: number, other: Uint8Array, otherAt: number, length: number): boolean {
    const { bytes } = this;
    let index = 0;
    if (length >= FEW_BYTES) {
      const known = this.#view;
      const view = viewOf(other);
      for (; index + 4 <= length; index += 4) {
        if (known.getInt32(at + index, true) !== view.getInt32(otherAt + index, true)) return false;
      }
    }
    for (; index < length; index += 1) if (bytes[at + index] !== other[otherAt + index]) return false;
    return true;
  }

  /** Copies `length` bytes of `other` from `otherAt` to `at`. */
  put(at: number, other: Uint8Array, otherAt: number, length: number): void {
    const { bytes } = this;
    for (let index = 0; index < length; index += 1) bytes[at + index] = other[otherAt + index];
  }
}
