/**
 * The ledger: nothing disappears silently. Every count has one name; the equations at the end say which of
 * them must add up. It is printed, written into the SQLite file, and checked by `--strict` and by the tests.
 */

/** Why a packet is not a TCP segment that Wirelens used. Closed list, one sentence each. */
export const PACKET_REASONS = {
  udp: 'a UDP datagram (not a tunnel that is understood)',
  icmp: 'an ICMP or ICMPv6 message',
  'other-transport': 'another transport protocol over IP',
  arp: 'ARP',
  'other-network': 'neither IPv4 nor IPv6',
  'unknown-link-type': 'a link type that is not understood',
  truncated: 'cut so short, by snaplen or damage, that a header is missing',
  malformed: 'a header that contradicts itself',
  'bad-checksum': 'a wrong TCP checksum (only when checked)',
  encrypted: 'an encrypted payload (ESP, protected 802.11)',
  fragment: 'a fragment, held for or used in a reassembled datagram',
  'fragment-incomplete': 'a fragment of a datagram that never became whole',
  'tunnel-depth': 'more encapsulations than are followed',
  'duplicate-sighting': 'the same packet seen again, on another interface or copied by a mirror port',
  'not-selected': 'left out by --port, --host, --net or a packet filter',
} as const satisfies Record<string, string>;
export type PacketReason = keyof typeof PACKET_REASONS;
export const PACKET_REASON_NAMES = Object.keys(PACKET_REASONS) as PacketReason[];

export class Ledger {
  // packets: packetsRead = segments + every reason
  packetsRead = 0;
  segments = 0;
  /** By position in PACKET_REASON_NAMES. */
  readonly notUsed = new Float64Array(PACKET_REASON_NAMES.length);

  // payload on the wire: payloadBytes = delivered + duplicate + cut + discarded
  payloadBytes = 0;
  deliveredBytes = 0;
  /** Seen again: retransmissions and overlaps. */
  duplicateBytes = 0;
  /** On the wire but not in the capture: snaplen. They appear as gaps. */
  cutBytes = 0;
  /** Outside any plausible window, or beyond a budget. */
  discardedBytes = 0;

  // gaps: bytes known to be missing from a direction
  gaps = 0;
  gapBytes = 0;

  // what the delivered bytes were: deliveredBytes = head + body + other + unparsed
  headBytes = 0;
  bodyBytes = 0;
  /** Connections that are not HTTP, tunnels, upgraded connections. */
  otherProtocolBytes = 0;
  /** On HTTP connections, but not part of any message found (after gaps, mid-stream, broken). */
  unparsedBytes = 0;

  // messages: requests = paired + unanswered; responses = paired + orphans + interim
  requests = 0;
  responses = 0;
  paired = 0;
  unanswered = 0;
  orphans = 0;
  interim = 0;
  exchanges = 0;

  // connections: connectionsOpened = connectionsClosed at the end of a run
  connectionsOpened = 0;
  connectionsClosed = 0;

  // budgets reached
  evictedConnections = 0;
  evictedPending = 0;
  evictedFragments = 0;

  /** Has the sums of these from now on. */
  become(parts: readonly LedgerCounts[]): void {
    for (const name of COUNT_NAMES) this[name] = parts.reduce((sum, part) => sum + part[name], 0);
    for (let reason = 0; reason < this.notUsed.length; reason += 1)
      this.notUsed[reason] = parts.reduce((sum, part) => sum + part.notUsed[reason], 0);
  }

  /** The equations that do not hold; empty when the ledger balances. Meaningful at the end of a run. */
  imbalances(): string[] {
    let reasons = 0;
    for (const count of this.notUsed) reasons += count;
    const problems: string[] = [];
    const check = (name: string, whole: number, parts: number): void => {
      if (whole !== parts) problems.push(`${name}: ${whole} counted, ${parts} accounted for`);
    };
    check('packets', this.packetsRead, this.segments + reasons);
    check(
      'payload bytes',
      this.payloadBytes,
      this.deliveredBytes + this.duplicateBytes + this.cutBytes + this.discardedBytes,
    );
    check(
      'delivered bytes',
      this.deliveredBytes,
      this.headBytes + this.bodyBytes + this.otherProtocolBytes + this.unparsedBytes,
    );
    check('requests', this.requests, this.paired + this.unanswered);
    check('responses', this.responses, this.paired + this.orphans + this.interim);
    check('exchanges', this.exchanges, this.paired + this.unanswered + this.orphans);
    check('connections', this.connectionsOpened, this.connectionsClosed);
    return problems;
  }

  /** Losses that `--strict` objects to, in words. */
  losses(): string[] {
    const lost: string[] = [];
    if (this.gapBytes > 0) lost.push(`${this.gapBytes} bytes missing in ${this.gaps} gaps`);
    if (this.discardedBytes > 0) lost.push(`${this.discardedBytes} payload bytes discarded`);
    if (this.unparsedBytes > 0) lost.push(`${this.unparsedBytes} bytes on HTTP connections not understood`);
    if (this.evictedConnections > 0) lost.push(`${this.evictedConnections} connections evicted`);
    if (this.evictedPending > 0) lost.push(`${this.evictedPending} budget evictions of waiting segments`);
    if (this.evictedFragments > 0) lost.push(`${this.evictedFragments} datagrams given up in fragments`);
    for (const reason of [
      'truncated',
      'malformed',
      'unknown-link-type',
      'fragment-incomplete',
      'tunnel-depth',
    ] as const) {
      const count = this.notUsed[PACKET_REASON_NAMES.indexOf(reason)];
      if (count > 0) lost.push(`${count} packets: ${PACKET_REASONS[reason]}`);
    }
    return lost;
  }
}

type CountName = { [Name in keyof Ledger]: Ledger[Name] extends number ? Name : never }[keyof Ledger];
/** What a ledger has counted, without what it can say about it. */
export type LedgerCounts = Pick<Ledger, CountName | 'notUsed'>;

const COUNT_NAMES = Object.keys(new Ledger()).filter((name) => name !== 'notUsed') as CountName[];
