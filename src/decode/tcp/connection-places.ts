import type { Connection, Sighting } from '../../model/exchange.ts';
import { type ByteSightings, type Direction, FROM_CLIENT, type SightingLog } from '../../model/stream.ts';
import type { HeldSegment } from './held-segment.ts';
import { distance } from './sequence.ts';
import type { TcpConnection } from './tcp-connection.ts';
import { TCP_FLAG } from './tcp-header.ts';
import type { Translation } from './translation.ts';

/** Sightings of segments that are over, remembered in each direction: for heads that come in several segments. */
const RECENT = 64;
/** Bytes watched at once in each direction; the one watched longest is let go. */
const MOST_WATCHED = 2_048;
/** Held segments that are compared with a new one: another place's sighting comes soon after. */
const LATELY_HELD = 32;
/** What happens once in a direction, without payload. */
const ONCE = TCP_FLAG.syn | TCP_FLAG.fin | TCP_FLAG.rst;

/** Where a connection's packets are seen. */
interface Place {
  readonly key: number;
  /** The addresses there; null: the connection's own. */
  readonly translation: Translation | null;
  readonly sighting: Sighting;
}

/** A segment was seen at a place. Sequence numbers. */
interface Glimpse {
  readonly place: number;
  readonly startSeq: number;
  readonly endSeq: number;
  readonly timeNs: number;
  /** Its bytes were taken from there. */
  readonly used: boolean;
}

class WatchedByte implements ByteSightings {
  readonly direction: Direction;
  readonly seq: number;
  readonly timesNs: Float64Array;

  constructor(direction: Direction, seq: number, places: number) {
    this.direction = direction;
    this.seq = seq;
    this.timesNs = new Float64Array(places).fill(Number.NaN);
  }

  /** The same, told in no order. */
  seeEarly(place: number, timeNs: number): void {
    if (place >= 0 && !(this.timesNs[place] <= timeNs)) this.timesNs[place] = timeNs;
  }

  /** The first time at each place counts; later ones are retransmissions. */
  see(place: number, timeNs: number): void {
    if (Number.isNaN(this.timesNs[place])) this.timesNs[place] = timeNs;
  }
}

/**
 * The places at which one connection is seen, and what is known of its bytes there. Place 0 is the connection's own:
 * its packets make the exchanges. Segments of other places are sightings; those that the own place has not shown yet
 * are held, for the own place may miss them.
 */
export class ConnectionPlaces implements SightingLog {
  readonly connection: TcpConnection;
  readonly #limit: number;
  readonly #places: Place[] = [];
  readonly #sightings: Sighting[] = [];
  /** Segments that the own place has not shown, by direction, in the order in which they were seen. */
  readonly #held: [HeldSegment[], HeldSegment[]] = [[], []];
  readonly #recent: [Glimpse[], Glimpse[]] = [[], []];
  readonly #recentNext: [number, number] = [0, 0];
  readonly #watched: [WatchedByte[], WatchedByte[]] = [[], []];
  heldBytes = 0;
  /** Other addresses of the connection. */
  readonly translations: Translation[] = [];

  constructor(connection: TcpConnection, key: number, own: Sighting, limit: number) {
    this.connection = connection;
    this.#limit = limit;
    this.#places.push({ key, translation: null, sighting: own });
    this.#sightings.push(own);
  }

  get facts(): Connection {
    return this.connection.facts;
  }

  get holds(): boolean {
    return this.#held[0].length > 0 || this.#held[1].length > 0;
  }

  /** Position of the place; -1: it is none of them. */
  find(key: number, translation: Translation | null): number {
    const places = this.#places;
    for (let index = 0; index < places.length; index += 1) {
      if (places[index].key === key && places[index].translation === translation) return index;
    }
    return -1;
  }

  /** A place more; -1: there are too many. */
  add(key: number, translation: Translation | null, sighting: Sighting): number {
    if (this.#places.length >= this.#limit) return -1;
    this.#places.push({ key, translation, sighting });
    this.#sightings.push(sighting);
    // Only where there are several places, the connection tells them.
    const { facts } = this;
    if (facts.sightings !== this.#sightings) {
      this.#sightings[0].client = facts.client;
      this.#sightings[0].server = facts.server;
      facts.sightings = this.#sightings;
    }
    return this.#places.length - 1;
  }

  /** A packet of the own place. */
  count(place: number): void {
    this.#places[place].sighting.packets += 1;
  }

  /** A segment was seen at a further place. */
  note(place: number, direction: Direction, startSeq: number, endSeq: number, timeNs: number): void {
    this.count(place);
    if (startSeq === endSeq) return;
    const watched = this.#watched[direction];
    for (let index = watched.length - 1; index >= 0; index -= 1) {
      const ahead = distance(startSeq, watched[index].seq);
      if (ahead < 0) break;
      if (distance(watched[index].seq, endSeq) > 0) watched[index].see(place, timeNs);
    }
    this.#remember(direction, { place, startSeq, endSeq, timeNs, used: false });
  }

  #remember(direction: Direction, glimpse: Glimpse): void {
    const next = this.#recentNext[direction];
    this.#recent[direction][next] = glimpse;
    this.#recentNext[direction] = (next + 1) % RECENT;
  }

  /** The segment among those held last that has all of the range already, or null. */
  heldWith(direction: Direction, startSeq: number, endSeq: number, flags: number): HeldSegment | null {
    const held = this.#held[direction];
    const last = Math.max(0, held.length - LATELY_HELD);
    for (let index = held.length - 1; index >= last; index -= 1) {
      const one = held[index];
      if (
        distance(one.startSeq, startSeq) >= 0 &&
        distance(endSeq, one.endSeq) >= 0 &&
        (flags & ~one.flags & ONCE) === 0
      )
        return one;
    }
    return null;
  }

  hold(segment: HeldSegment): void {
    this.#held[segment.direction].push(segment);
    this.heldBytes += segment.heldBytes;
  }

  /** The held segment that was seen first, if the own place is known to have missed it: it is let go. */
  takeOverdue(beforeNs: number): HeldSegment | null {
    const [client] = this.#held[0];
    const [server] = this.#held[1];
    const first =
      client === undefined || (server !== undefined && server.timeNs < client.timeNs) ? server : client;
    return first === undefined || first.timeNs > beforeNs ? null : this.#shift(first.direction);
  }

  /** The first held segment of `direction` if `ack`, seen at the own place, acknowledges it: it is let go. */
  takeAcknowledged(direction: Direction, ack: number): HeldSegment | null {
    const [first] = this.#held[direction];
    // A reset is never acknowledged.
    if (first === undefined || (first.flags & TCP_FLAG.rst) !== 0) return null;
    return distance(first.endSeq, ack) < 0 ? null : this.#shift(direction);
  }

  /** Lets go what the own place has shown. Returns the bytes of budget that became free. */
  dropShown(): number {
    let free = 0;
    for (const held of this.#held) {
      while (held.length > 0 && !this.connection.lacks(held[0]))
        free += this.#shift(held[0].direction).heldBytes;
    }
    return free;
  }

  #shift(direction: Direction): HeldSegment {
    const segment = this.#held[direction].shift() as HeldSegment;
    this.heldBytes -= segment.heldBytes;
    return segment;
  }

  /** The bytes of a held segment become those of the connection. */
  used({ place, direction, startSeq, endSeq, timeNs }: HeldSegment): void {
    if (startSeq !== endSeq) this.#remember(direction, { place, startSeq, endSeq, timeNs, used: true });
  }

  /** All held segments of an address translation, in the order in which they were seen: they are let go. */
  takeAllOf(translation: Translation): HeldSegment[] {
    const all: HeldSegment[] = [];
    for (const direction of [FROM_CLIENT, 1] as const) {
      const held = this.#held[direction];
      const kept = held.filter((one) => one.translation !== translation);
      for (const one of held) {
        if (one.translation !== translation) continue;
        all.push(one);
        this.heldBytes -= one.heldBytes;
      }
      this.#held[direction] = kept;
    }
    return all.sort((a, b) => a.order - b.order);
  }

  /** An address translation is one for sure: what was seen there becomes places. */
  verify(translation: Translation): void {
    translation.verified = true;
    for (const { key, sighting } of translation.found) {
      const place = this.add(key, translation, sighting);
      if (place < 0) this.facts.packetsElsewhere += sighting.packets;
      for (const held of this.#held) {
        for (const one of held) if (one.translation === translation && one.key === key) one.place = place;
      }
    }
    translation.found.length = 0;
  }

  watch(direction: Direction, offset: number, timeNs: number): ByteSightings {
    const seq = this.connection.seqAt(direction, offset);
    const byte = new WatchedByte(direction, seq, this.#limit);
    let elsewhere = false;
    for (const one of this.#recent[direction]) {
      if (!contains(one, seq)) continue;
      byte.seeEarly(one.place, one.timeNs);
      if (one.used && one.timeNs === timeNs) elsewhere = true;
    }
    const held = this.#held[direction];
    for (let index = 0; index < held.length && index < LATELY_HELD; index += 1) {
      if (!contains(held[index], seq)) continue;
      byte.seeEarly(held[index].place, held[index].timeNs);
      for (const { place, timeNs: alsoNs } of held[index].alsoSeen) byte.seeEarly(place, alsoNs);
    }
    if (!elsewhere) byte.timesNs[0] = timeNs;
    const watched = this.#watched[direction];
    // Sorted by place in the stream: the newest is nearly always the furthest.
    let at = watched.length;
    while (at > 0 && distance(watched[at - 1].seq, seq) < 0) at -= 1;
    watched.splice(at, 0, byte);
    if (watched.length > MOST_WATCHED) watched.shift();
    return byte;
  }

  unwatch(byte: ByteSightings): void {
    const { direction } = byte as WatchedByte;
    const index = this.#watched[direction].indexOf(byte as WatchedByte);
    if (index >= 0) this.#watched[direction].splice(index, 1);
  }
}

function contains({ startSeq, endSeq }: { startSeq: number; endSeq: number }, seq: number): boolean {
  return distance(startSeq, seq) >= 0 && distance(seq, endSeq) > 0;
}
