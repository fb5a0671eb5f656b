/** Where things stand in the blocks of a pcapng file (draft-ietf-opsawg-pcapng): byte offsets, and least lengths. */

/** Block types of draft-ietf-opsawg-pcapng §11.1. */
export const BLOCK = {
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  statistics: 5,
  enhancedPacket: 6,
} as const;
/** Every block: type, total length, body, total length again. */
export const FRAME = { type: 0, length: 4, body: 8, trailer: 4, minimum: 12 } as const;
export const SECTION = { byteOrder: 8, options: 24, minimum: 28 } as const;
export const INTERFACE = { linkType: 8, snaplen: 12, options: 16, minimum: 20 } as const;
/** The obsolete packet block differs in a 16-bit interface number alone. */
export const PACKET = {
  interface: 8,
  high: 12,
  low: 16,
  captured: 20,
  original: 24,
  data: 28,
  minimum: 32,
} as const;
export const SIMPLE = { original: 8, data: 12, minimum: 16 } as const;
export const STATISTICS = { interface: 8, high: 12, low: 16, options: 20, minimum: 24 } as const;
export const OPTION = {
  comment: 1,
  name: 2,
  resolution: 9,
  offset: 14,
  received: 4,
  dropped: 5,
  osDropped: 7,
} as const;
