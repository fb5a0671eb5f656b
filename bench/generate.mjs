// Large captures without any tool: a fast generator of Ethernet/IPv4/TCP packets into a pcap file.

import { closeSync, openSync, writeSync } from 'node:fs';

const HEADERS_BYTES = 54;
const RECORD_BYTES = 16;
const BLOCK_BYTES = 8 * 1024 * 1024;

const random = (() => {
  let state = 20_260_101;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
})();

class PcapWriter {
  packets = 0;
  bytes = 24;
  #block = Buffer.alloc(BLOCK_BYTES);
  #used = 24;
  #timeUs = 0;
  #file;

  constructor(file) {
    this.#file = openSync(file, 'w');
    [0xa1b2c3d4, 0x00040002, 0, 0, 262_144, 1].forEach((word, index) => {
      this.#block.writeUInt32LE(word, index * 4);
    });
  }

  /** One TCP segment, 3 µs after the one before. Checksums stay 0, as with offload. */
  packet(side, seq, ack, flags, payload) {
    const length = HEADERS_BYTES + payload.length;
    if (this.#used + RECORD_BYTES + length > BLOCK_BYTES) this.#flush();
    const block = this.#block;
    let at = this.#used;
    this.#timeUs += 3;
    block.writeUInt32LE(1_700_000_000 + Math.floor(this.#timeUs / 1e6), at);
    block.writeUInt32LE(this.#timeUs % 1e6, at + 4);
    block.writeUInt32LE(length, at + 8);
    block.writeUInt32LE(length, at + 12);
    at += RECORD_BYTES;
    block.fill(2, at, at + 12);
    block.writeUInt16BE(0x0800, at + 12);
    block.writeUInt16BE(0x4500, at + 14);
    block.writeUInt16BE(length - 14, at + 16);
    block.writeUInt32BE(((this.packets & 0xffff) << 16) >>> 0, at + 18);
    block.writeUInt32BE(0x4006_0000, at + 22);
    block.writeUInt32BE(side.address, at + 26);
    block.writeUInt32BE(side.peer.address, at + 30);
    block.writeUInt16BE(side.port, at + 34);
    block.writeUInt16BE(side.peer.port, at + 36);
    block.writeUInt32BE(seq >>> 0, at + 38);
    block.writeUInt32BE(ack >>> 0, at + 42);
    block.writeUInt16BE(0x5000 | flags, at + 46);
    block.writeUInt16BE(65_535, at + 48);
    block.writeUInt32BE(0, at + 50);
    payload.copy(block, at + HEADERS_BYTES);
    this.#used = at + length;
    this.bytes += RECORD_BYTES + length;
    this.packets++;
  }

  #flush() {
    writeSync(this.#file, this.#block, 0, this.#used);
    this.#used = 0;
  }

  close() {
    this.#flush();
    closeSync(this.#file);
  }
}

const [FIN, SYN, PSH_ACK, ACK] = [0x11, 0x02, 0x18, 0x10];
const NOTHING = Buffer.alloc(0);
const BODY = Buffer.alloc(64 * 1024, 'wirelens ');

/** A connection that sends through `emit(side, seq, ack, flags, payload)`. */
class Connection {
  constructor(number, emit) {
    this.emit = emit;
    this.client = {
      address: (0x0a00_0000 + ((number >>> 14) + 1)) >>> 0,
      port: 10_000 + (number & 0x3fff),
      next: number * 7919,
    };
    this.server = { address: 0x0a80_0001, port: 80, next: number * 104_729 };
    this.client.peer = this.server;
    this.server.peer = this.client;
  }

  open() {
    this.emit(this.client, this.client.next++, 0, SYN, NOTHING);
    this.emit(this.server, this.server.next++, this.client.next, SYN | ACK, NOTHING);
    this.emit(this.client, this.client.next, this.server.next, ACK, NOTHING);
  }

  send(side, payload) {
    this.emit(side, side.next, side.peer.next, PSH_ACK, payload);
    side.next += payload.length;
  }

  exchange(number, bodyBytes, segmentBytes) {
    this.send(
      this.client,
      Buffer.from(`GET /items/${number % 50}?page=${number % 7} HTTP/1.1\r\nHost: bench.test\r\n\r\n`),
    );
    const head = Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
    );
    const first = Math.min(bodyBytes, segmentBytes - head.length);
    this.send(this.server, Buffer.concat([head, BODY.subarray(0, first)]));
    let segments = 0;
    for (let sent = first; sent < bodyBytes; sent += segmentBytes) {
      this.send(this.server, BODY.subarray(0, Math.min(segmentBytes, bodyBytes - sent)));
      if (++segments % 8 === 0) this.emit(this.client, this.client.next, this.server.next, ACK, NOTHING);
    }
  }

  close() {
    this.emit(this.client, this.client.next++, this.server.next, FIN, NOTHING);
    this.emit(this.server, this.server.next++, this.client.next, FIN, NOTHING);
    this.emit(this.client, this.client.next, this.server.next, ACK, NOTHING);
  }
}

/** Captures by kind; each writes until the file has `targetBytes`. Return {packets, bytes}. */
export const GENERATED = {
  'small-exchanges'(file, targetBytes) {
    return generate(file, targetBytes, (emit, full) => {
      const connections = Array.from({ length: 16 }, (_, number) => new Connection(number, emit));
      for (const connection of connections) connection.open();
      for (let number = 0; !full(); number++) connections[number % 16].exchange(number, 2230, 2400);
    });
  },
  'bulk-transfer'(file, targetBytes) {
    return generate(file, targetBytes, (emit, full) => {
      for (let number = 0; !full(); number++) {
        const connection = new Connection(number, emit);
        connection.open();
        connection.exchange(number, 20_000_000, 1448);
        connection.close();
      }
    });
  },
  'many-connections'(file, targetBytes) {
    return generate(file, targetBytes, (emit, full) => {
      const open = [];
      for (let number = 0; !full(); number++) {
        const connection = new Connection(number, emit);
        connection.open();
        connection.exchange(number, 300, 1448);
        open.push(connection);
        if (open.length > 2000) open.shift().close();
      }
    });
  },
  'disorder-and-loss'(file, targetBytes) {
    // One packet in 200 is missing, one in 50 comes up to eight places late, one in 100 twice.
    const held = [];
    return generate(file, targetBytes, (emit, full) => {
      const impaired = (...packet) => {
        for (const late of held) late.places--;
        while (held.length > 0 && held[0].places <= 0) emit(...held.shift().packet);
        const chance = random();
        if (chance < 0.005) return;
        if (chance < 0.025) {
          held.push({ places: 1 + Math.floor(random() * 8), packet });
          return;
        }
        emit(...packet);
        if (chance < 0.035) emit(...packet);
      };
      for (let number = 0; !full(); number++) {
        const connection = new Connection(number, impaired);
        connection.open();
        for (let position = 0; position < 50; position++) connection.exchange(position, 20_000, 1448);
        connection.close();
      }
    });
  },
};

function generate(file, targetBytes, traffic) {
  const writer = new PcapWriter(file);
  traffic(
    (...packet) => writer.packet(...packet),
    () => writer.bytes >= targetBytes,
  );
  writer.close();
  return { packets: writer.packets, bytes: writer.bytes };
}
