/** Bounds of the ring; see RingShape. */
export const RING = {
  /** A packet that TCP segmentation offload has put together has up to 64 KiB, and must fit into a block. */
  leastBlockBytes: 128 * 1024,
  mostBlockBytes: 1024 * 1024,
  /**
   * Each block that is not full when its time is over takes a whole block from the ring. So with little traffic
   * the number of blocks times the hand-over time is how long the reader may rest before packets are dropped.
   */
  wantedBlocks: 64,
  leastBytes: 1024 * 1024,
  /** Offsets are 31-bit numbers. */
  mostBytes: 1024 * 1024 * 1024,
  /** Packets wait this long at most (twice, just after a block was full) when few come. */
  handoverMs: 50,
} as const;

/** As many blocks as fit into `ringBytes`, of the largest size that still gives enough of them. */
export function ringShape(ringBytes: number): { blockBytes: number; blocks: number } {
  const bytes = Math.min(Math.max(ringBytes, RING.leastBytes), RING.mostBytes);
  let blockBytes: number = RING.mostBlockBytes;
  while (blockBytes > RING.leastBlockBytes && bytes / blockBytes < RING.wantedBlocks) blockBytes /= 2;
  return { blockBytes, blocks: Math.floor(bytes / blockBytes) };
}
