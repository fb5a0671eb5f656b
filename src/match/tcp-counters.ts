import { type DirectionTotals, type Endpoint, QUIET_TCP, type TcpFacts } from '../model/exchange.ts';

/** The two ends of an exchange and the TCP counters of what each of them sent. */
export interface Ends {
  asker: { endpoint: Endpoint; totals: DirectionTotals };
  answerer: { endpoint: Endpoint; totals: DirectionTotals };
}

/** TCP counters of a connection at one moment, from the view of one asker. Shared while nothing changes. */
export interface TcpCounters {
  /** The totals they were taken from, to tell the two directions apart. */
  readonly sentBy: DirectionTotals;
  readonly retransmissions: number;
  readonly outOfOrder: number;
  readonly zeroWindows: number;
  readonly peerRetransmissions: number;
  readonly peerOutOfOrder: number;
  readonly peerZeroWindows: number;
}

function unchanged(sent: DirectionTotals, received: DirectionTotals, then: TcpCounters): boolean {
  return (
    then.sentBy === sent &&
    sent.retransmissions === then.retransmissions &&
    received.retransmissions === then.peerRetransmissions &&
    sent.outOfOrder === then.outOfOrder &&
    received.outOfOrder === then.peerOutOfOrder &&
    sent.zeroWindows === then.zeroWindows &&
    received.zeroWindows === then.peerZeroWindows
  );
}

/** The counters as they stand; `last` again where nothing has changed since. */
export function countersNow(
  sent: DirectionTotals,
  received: DirectionTotals,
  last: TcpCounters | null,
): TcpCounters {
  if (last !== null && unchanged(sent, received, last)) return last;
  return {
    sentBy: sent,
    retransmissions: sent.retransmissions,
    outOfOrder: sent.outOfOrder,
    zeroWindows: sent.zeroWindows,
    peerRetransmissions: received.retransmissions,
    peerOutOfOrder: received.outOfOrder,
    peerZeroWindows: received.zeroWindows,
  };
}

/** What TCP had to report since `then`. */
export function tcpSince(then: TcpCounters | null, ends: Ends): TcpFacts {
  const sent = ends.asker.totals;
  const received = ends.answerer.totals;
  if (then === null || unchanged(sent, received, then)) return QUIET_TCP;
  return {
    requestRetransmissions: sent.retransmissions - then.retransmissions,
    responseRetransmissions: received.retransmissions - then.peerRetransmissions,
    requestOutOfOrder: sent.outOfOrder - then.outOfOrder,
    responseOutOfOrder: received.outOfOrder - then.peerOutOfOrder,
    clientZeroWindows: sent.zeroWindows - then.zeroWindows,
    serverZeroWindows: received.zeroWindows - then.peerZeroWindows,
  };
}
