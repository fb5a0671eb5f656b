// A capture of many exchanges with targets that are all different, made without a network.

import { closeSync, openSync, writeSync } from 'node:fs';

const CONNECTIONS = 200;
/** LINKTYPE_RAW: packets begin with their IP header. */
const RAW = 101;
const IP_BYTES = 20;
const TCP_BYTES = 20;

/** Writes a pcap of `requests` exchanges of 10.0.`client`.1: GET /item/0, /item/1 …, each answered after 1 ms. */
export function bigCapture(file, requests, client) {
  const descriptor = openSync(file, 'w');
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(RAW, 20);
  writeSync(descriptor, header);
  const next = Array.from({ length: CONNECTIONS }, (_, index) => [
    client * 300_000_000 + 1_000_000 * index,
    client * 300_000_000 + 1_000_000 * index + 500_000,
  ]);
  const startUs = Date.UTC(2026, 10, 21, 7, 42) * 1000;
  let pieces = [];
  for (let number = 0; number < requests; number++) {
    const connection = number % CONNECTIONS;
    const request = Buffer.from(`GET /item/${number} HTTP/1.1\r\nHost: big.test\r\n\r\n`);
    const response = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    const atUs = startUs + number * 2000;
    pieces.push(packet(next[connection], connection, client, 0, request, atUs));
    pieces.push(packet(next[connection], connection, client, 1, response, atUs + 1000));
    if (pieces.length >= 10_000) {
      writeSync(descriptor, Buffer.concat(pieces));
      pieces = [];
    }
  }
  writeSync(descriptor, Buffer.concat(pieces));
  closeSync(descriptor);
}

/** One segment with its record header; `sequences` go on. `side` 0: from the client. */
function packet(sequences, connection, client, side, payload, atUs) {
  const length = IP_BYTES + TCP_BYTES + payload.length;
  const bytes = Buffer.alloc(16 + length);
  bytes.writeUInt32LE(Math.floor(atUs / 1e6), 0);
  bytes.writeUInt32LE(atUs % 1e6, 4);
  bytes.writeUInt32LE(length, 8);
  bytes.writeUInt32LE(length, 12);
  const ip = 16;
  bytes[ip] = 0x45;
  bytes.writeUInt16BE(length, ip + 2);
  bytes[ip + 8] = 64;
  bytes[ip + 9] = 6;
  const addresses = [0x0a000001 + 256 * client, 0x0a00fffe];
  bytes.writeUInt32BE(addresses[side], ip + 12);
  bytes.writeUInt32BE(addresses[1 - side], ip + 16);
  const tcp = ip + IP_BYTES;
  const ports = [20_000 + connection, 8080];
  bytes.writeUInt16BE(ports[side], tcp);
  bytes.writeUInt16BE(ports[1 - side], tcp + 2);
  bytes.writeUInt32BE(sequences[side], tcp + 4);
  bytes.writeUInt32BE(sequences[1 - side], tcp + 8);
  bytes[tcp + 12] = 0x50;
  bytes[tcp + 13] = 0x18;
  bytes.writeUInt16BE(65_535, tcp + 14);
  payload.copy(bytes, tcp + TCP_BYTES);
  sequences[side] += payload.length;
  return bytes;
}
