import { type Sighting, TUNNEL_KINDS, type Tunnel } from '../../model/exchange.ts';
import type { Limits } from '../../model/limits.ts';
import type { Packet } from '../../model/packet.ts';
import { type Direction, FROM_CLIENT, FROM_SERVER } from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import { Sightings } from '../sightings.ts';
import { ConnectionPlaces } from './connection-places.ts';
import { endpoint } from './endpoint.ts';
import { HeldSegment } from './held-segment.ts';
import { interfaceIndex, placeKey } from './place-key.ts';
import { advance } from './sequence.ts';
import type { TcpConnection } from './tcp-connection.ts';
import { TCP_FLAG } from './tcp-header.ts';
import { type Translation, TranslationTable } from './translation.ts';

const NO_NUMBERS: readonly number[] = Object.freeze([]);
const NO_TUNNELS: readonly Tunnel[] = Object.freeze([]);

/** Other addresses that one connection may have; many SYNs with one sequence number are a flood, and no translation. */
const MOST_TRANSLATIONS = 8;

/** What a segment is. `again`: connections have changed, look once more. */
export type Look = 'own' | 'further' | 'again';

/** What becomes of held segments. */
export interface HeldOutcome {
  /** The connection's own place missed it: it is taken as data. */
  take(connection: TcpConnection, held: HeldSegment): void;
  /** It was no translation: these are the segments of another connection. `isSelected`: --port asks for it. */
  open(held: HeldSegment, isSelected: boolean): void;
}

/**
 * Tells further sightings of segments from first ones, and keeps them with their connection.
 *
 * A connection's own place is where it was seen first. Another place is known by a packet that is seen at both. From
 * then on everything from there is a further sighting, and never data, a retransmission or disorder. Only what the
 * own place has not shown is held; if it turns out to have missed it, because it acknowledges it or nothing comes for
 * `sightingHoldMs`, the held segment is taken. So the exchanges are those of the own place alone, and what it missed.
 *
 * Other addresses belong to the connection when TranslationTable recognises its SYN there and the server's first
 * sequence number is the same. Until that is known everything on them is held; if it is not so, they are a connection
 * of their own (a SYN proxy lets the client's number through, but not the server's).
 */
export class FurtherSightings {
  readonly #limits: Limits;
  readonly #outcome: HeldOutcome;
  readonly #seen = new Sightings();
  readonly #translations: TranslationTable;
  /** Connections that hold segments, in the order in which they began to. */
  readonly #holding = new Set<ConnectionPlaces>();
  #heldBytes = 0;
  #order = 0;
  /** Connection and direction of the further sighting that was found last; null: not known. */
  connection: TcpConnection | null = null;
  direction: Direction = FROM_CLIENT;

  constructor(limits: Limits, outcome: HeldOutcome) {
    this.#limits = limits;
    this.#outcome = outcome;
    this.#translations = new TranslationTable(limits.translationMs);
  }

  /**
   * What the segment is, on the addresses of `connection` (null: of none, or it opens a new one). `sentByA`: by its
   * A. `isSelected`: --port asks for these addresses.
   */
  look(
    frame: Frame,
    packet: Packet,
    connection: TcpConnection | null,
    sentByA: boolean,
    hash: number,
    isSelected: boolean,
  ): Look {
    const key = placeKey(packet, frame);
    if (connection === null) return this.#unknown(frame, packet, hash, key, isSelected);
    const place = connection.places === null ? 0 : connection.places.find(key, null);
    if (place > 0) {
      this.#further(connection, place, frame, packet, connection.directionFrom(sentByA), null);
      return 'further';
    }
    const direction = connection.directionFrom(sentByA);
    if (!this.#seen.seenBefore(frame, key)) {
      if (key !== connection.key && key !== connection.stranger?.key) {
        connection.stranger = { key, sighting: sightingOf(frame, packet, connection, direction, null) };
      }
      return 'own';
    }
    this.connection = connection;
    this.direction = direction;
    if (this.#seen.elsewhere && key !== connection.key) {
      const places = this.#placesOf(connection);
      const added = places.add(key, null, sightingOf(frame, packet, connection, direction, null));
      if (added < 0) connection.facts.packetsElsewhere += 1;
      else places.note(added, direction, startOf(frame), endOf(frame), frame.timeNs);
    } else if (this.#seen.elsewhere) this.#acquaint(connection);
    return 'further';
  }

  /** The own place has shown what another one showed before it: that one is a place of the connection, too. */
  #acquaint(connection: TcpConnection): void {
    const { stranger } = connection;
    if (stranger === null || stranger.key !== this.#seen.earlierKey) return;
    connection.stranger = null;
    if (this.#placesOf(connection).add(stranger.key, null, stranger.sighting) >= 0)
      stranger.sighting.packets += 1;
  }

  #unknown(frame: Frame, packet: Packet, hash: number, key: number, isSelected: boolean): Look {
    const isSyn = (frame.flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
    const known = this.#translations.size === 0 ? null : this.#translations.find(frame, hash);
    if (known !== null) {
      const isOther = isSyn && known.connection.isReuse(frame, this.#translations.foundDirection);
      if (!isOther) return this.#translated(known, frame, packet, key, this.#translations.foundDirection);
      this.#forget(known);
    }
    const recognised = isSyn
      ? this.#translations.recogniseSyn(frame)
      : isSelected && (frame.flags & TCP_FLAG.syn) === 0
        ? this.#translations.recogniseSegment(frame)
        : null;
    if (recognised !== null && (recognised.connection.places?.translations.length ?? 0) < MOST_TRANSLATIONS) {
      const translation = this.#translations.add(recognised, frame, hash, isSelected);
      const places = this.#placesOf(recognised.connection);
      places.translations.push(translation);
      const direction = recognised.connection.directionFrom(recognised.sentByA);
      if (isSyn) translation.syn = this.#held(frame, packet, direction, -1, translation);
      // In mid-stream both sequence numbers agree already.
      else places.verify(translation);
      return this.#translated(translation, frame, packet, key, direction);
    }
    this.connection = null;
    return isSelected && this.#seen.seenBefore(frame, key) ? 'further' : 'own';
  }

  #translated(
    translation: Translation,
    frame: Frame,
    packet: Packet,
    key: number,
    direction: Direction,
  ): Look {
    const { connection } = translation;
    const places = this.#placesOf(connection);
    if (!translation.verified) {
      const answers = TCP_FLAG.syn | TCP_FLAG.ack;
      if ((frame.flags & answers) === answers && direction === FROM_SERVER) translation.serverIsn = frame.seq;
      else if (direction === FROM_CLIENT && provesServerIsn(connection, frame)) {
        // A bridge that calls iptables shows requests alone on these addresses: the client's first acknowledgement
        // says as much as the server's answer.
        translation.serverIsn = connection.serverIsn();
      }
      if (!this.#verify(translation)) return 'again';
    }
    if (!translation.verified) {
      let found = translation.found.find((one) => one.key === key);
      if (found === undefined && translation.found.length < this.#limits.sightingPlaces) {
        found = { key, sighting: sightingOf(frame, packet, connection, direction, translation) };
        translation.found.push(found);
      }
      if (found === undefined) connection.facts.packetsElsewhere += 1;
      else found.sighting.packets += 1;
      this.#keep(connection, frame, packet, direction, -1, translation);
      this.connection = connection;
      this.direction = direction;
      return 'further';
    }
    let place = places.find(key, translation);
    if (place < 0) {
      place = places.add(key, translation, sightingOf(frame, packet, connection, direction, translation));
    }
    this.#further(connection, place, frame, packet, direction, translation);
    return 'further';
  }

  /** A segment at another place of the connection; -1: at one too many. */
  #further(
    connection: TcpConnection,
    place: number,
    frame: Frame,
    packet: Packet,
    direction: Direction,
    translation: Translation | null,
  ): void {
    this.connection = connection;
    this.direction = direction;
    if (place < 0) {
      connection.facts.packetsElsewhere += 1;
      return;
    }
    connection.places?.note(place, direction, startOf(frame), endOf(frame), frame.timeNs);
    this.#keep(connection, frame, packet, direction, place, translation);
  }

  /** Holds the segment if the own place has not shown it. */
  #keep(
    connection: TcpConnection,
    frame: Frame,
    packet: Packet,
    direction: Direction,
    place: number,
    translation: Translation | null,
  ): void {
    const { flags } = frame;
    const endSeq = endOf(frame);
    if (isBareAck(frame) || !connection.lacks({ direction, flags, endSeq })) return;
    const places = this.#placesOf(connection);
    const already = places.heldWith(direction, startOf(frame), endSeq, flags);
    if (
      already !== null &&
      (translation === null || translation.verified || already.translation === translation)
    ) {
      if (already.place !== place) already.alsoSeen.push({ place, timeNs: frame.timeNs });
      return;
    }
    const held = this.#held(frame, packet, direction, place, translation);
    places.hold(held);
    this.#heldBytes += held.heldBytes;
    this.#holding.add(places);
    if (this.#heldBytes > this.#limits.sightingHeldBytes) this.#relieve();
  }

  #held(
    frame: Frame,
    packet: Packet,
    direction: Direction,
    place: number,
    translation: Translation | null,
  ): HeldSegment {
    this.#order += 1;
    return new HeldSegment(frame, packet, direction, place, translation, this.#order);
  }

  /** Before the own place's segment is taken: what it acknowledges was there, whether it was shown or not. */
  beforeOwn(connection: TcpConnection, frame: Frame, direction: Direction): void {
    const { places } = connection;
    if (places === null || !places.holds || (frame.flags & TCP_FLAG.ack) === 0) return;
    const opposite = direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
    if (direction === FROM_CLIENT && connection.serverIsn() === null) {
      for (const translation of [...places.translations]) {
        if (!translation.verified && translation.serverIsn !== null)
          this.#settle(translation, translation.serverIsn === advance(frame.ack, -1));
      }
    }
    for (let held = places.takeAcknowledged(opposite, frame.ack); held !== null; ) {
      this.#release(places, held);
      held = places.takeAcknowledged(opposite, frame.ack);
    }
    this.#tidy(places);
  }

  /** After the own place's segment was taken. */
  afterOwn(connection: TcpConnection, frame: Frame, sentByA: boolean): void {
    if (connection.firstSegments > 0) {
      connection.firstSegments -= 1;
      this.#translations.rememberSegment(connection, frame, sentByA);
    } else if ((frame.flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn) {
      this.#translations.rememberSyn(connection, frame);
    }
    const { places } = connection;
    if (places === null) return;
    places.count(0);
    for (const translation of places.translations) {
      if (translation.verified || translation.serverIsn === null) continue;
      // The list changes with it.
      if (!this.#verify(translation)) break;
    }
    if (!places.holds) return;
    this.#heldBytes -= places.dropShown();
    this.#tidy(places);
  }

  /** Lets go what has waited long enough. */
  sweep(nowNs: number): void {
    const beforeNs = nowNs - this.#limits.sightingHoldMs * 1e6;
    for (const places of this.#holding) this.#releaseUpTo(places, beforeNs);
  }

  /** The connection comes to its end: nothing is held for it any more. */
  finish(connection: TcpConnection): void {
    this.#translations.forget(connection);
    const { places } = connection;
    if (places === null) return;
    this.#releaseUpTo(places, Number.POSITIVE_INFINITY);
    for (const translation of places.translations) this.#translations.remove(translation);
  }

  #relieve(): void {
    for (const places of this.#holding) {
      this.#releaseUpTo(places, Number.POSITIVE_INFINITY);
      if (this.#heldBytes <= this.#limits.sightingHeldBytes) return;
    }
  }

  #releaseUpTo(places: ConnectionPlaces, beforeNs: number): void {
    for (let held = places.takeOverdue(beforeNs); held !== null; held = places.takeOverdue(beforeNs)) {
      this.#release(places, held);
    }
    this.#tidy(places);
  }

  #release(places: ConnectionPlaces, held: HeldSegment): void {
    this.#heldBytes -= held.heldBytes;
    const { translation } = held;
    if (translation !== null && !translation.verified) {
      this.#separate(translation, held);
      return;
    }
    if (!places.connection.lacks(held)) return;
    places.used(held);
    this.#outcome.take(places.connection, held);
  }

  #tidy(places: ConnectionPlaces): void {
    if (!places.holds) this.#holding.delete(places);
  }

  /** False: it turned out to be no translation. True also while that is not known. */
  #verify(translation: Translation): boolean {
    const own = translation.connection.serverIsn();
    if (own === null || translation.serverIsn === null) return true;
    return this.#settle(translation, own === translation.serverIsn);
  }

  #settle(translation: Translation, isOne: boolean): boolean {
    if (isOne) {
      translation.connection.places?.verify(translation);
      translation.syn = null;
    } else this.#separate(translation, null);
    return isOne;
  }

  /** What was held of it, and `taken`, becomes a connection of its own. */
  #separate(translation: Translation, taken: HeldSegment | null): void {
    const places = translation.connection.places as ConnectionPlaces;
    this.#forget(translation);
    const held = places.takeAllOf(translation);
    for (const one of held) this.#heldBytes -= one.heldBytes;
    if (taken !== null) held.unshift(taken);
    const { syn } = translation;
    if (syn !== null && !held.some((one) => one.packet.number === syn.packet.number && one.key === syn.key)) {
      held.unshift(syn);
    }
    this.#tidy(places);
    for (const one of held) this.#outcome.open(one, translation.isSelected);
  }

  #forget(translation: Translation): void {
    this.#translations.remove(translation);
    const translations = translation.connection.places?.translations;
    const index = translations?.indexOf(translation) ?? -1;
    if (index >= 0) translations?.splice(index, 1);
  }

  #placesOf(connection: TcpConnection): ConnectionPlaces {
    if (connection.places !== null) return connection.places;
    const { facts, key } = connection;
    const own: Sighting = {
      capture: facts.capture,
      interfaceNumber: facts.interfaceNumber,
      interfaceIndex: connection.interfaceIndex,
      client: facts.client,
      server: facts.server,
      vlans: facts.vlans,
      tunnels: facts.tunnels,
      firstNs: facts.firstNs,
      packets: facts.fromClient.packets + facts.fromServer.packets,
    };
    connection.places = new ConnectionPlaces(connection, key, own, this.#limits.sightingPlaces);
    return connection.places;
  }
}

function isBareAck({ flags, wireEnd, offset }: Frame): boolean {
  return (flags & (TCP_FLAG.syn | TCP_FLAG.fin | TCP_FLAG.rst)) === 0 && wireEnd === offset;
}

/** Acknowledges the server's SYN and nothing else. */
function provesServerIsn(connection: TcpConnection, { flags, ack }: Frame): boolean {
  const serverIsn = connection.serverIsn();
  return serverIsn !== null && (flags & TCP_FLAG.ack) !== 0 && ack === advance(serverIsn, 1);
}

function startOf({ seq, flags }: Frame): number {
  return (flags & TCP_FLAG.syn) !== 0 ? advance(seq, 1) : seq;
}

function endOf(frame: Frame): number {
  const end = advance(startOf(frame), frame.wireEnd - frame.offset);
  return (frame.flags & TCP_FLAG.fin) !== 0 ? advance(end, 1) : end;
}

function sightingOf(
  frame: Frame,
  packet: Packet,
  connection: TcpConnection,
  direction: Direction,
  translation: Translation | null,
): Sighting {
  const { client, server } = connection.facts;
  const source = () =>
    endpoint(frame.ipVersion, frame.src0, frame.src1, frame.src2, frame.src3, frame.srcPort);
  const destination = () =>
    endpoint(frame.ipVersion, frame.dst0, frame.dst1, frame.dst2, frame.dst3, frame.dstPort);
  const sentByClient = (direction === FROM_CLIENT) !== connection.isTurned;
  return {
    capture: packet.capture,
    interfaceNumber: packet.interfaceNumber,
    interfaceIndex: interfaceIndex(packet),
    client: translation === null ? client : sentByClient ? source() : destination(),
    server: translation === null ? server : sentByClient ? destination() : source(),
    vlans: vlansOf(frame),
    tunnels: tunnelsOf(frame),
    firstNs: frame.timeNs,
    packets: 0,
  };
}

export function vlansOf(frame: Frame): readonly number[] {
  return frame.vlanCount === 0 ? NO_NUMBERS : Array.from(frame.vlans.subarray(0, frame.vlanCount));
}

export function tunnelsOf(frame: Frame): readonly Tunnel[] {
  if (frame.tunnelCount === 0) return NO_TUNNELS;
  const tunnels: Tunnel[] = [];
  for (let index = 0; index < frame.tunnelCount; index += 1) {
    const id = frame.tunnelIds[index];
    tunnels.push({ kind: TUNNEL_KINDS[frame.tunnelKinds[index]], id: id < 0 ? null : id });
  }
  return tunnels;
}
