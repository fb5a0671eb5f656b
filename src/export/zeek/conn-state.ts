import type { Connection } from '../../model/exchange.ts';

/** Zeek's names for how a TCP connection went (`conn_state` of conn.log). */
export type ConnState =
  | 'S0' | 'S1' | 'SF' | 'REJ' | 'S2' | 'S3' | 'RSTO' | 'RSTR' | 'RSTOS0' | 'RSTRH' | 'SH' | 'SHR' | 'OTH'; // biome-ignore format: a list

/**
 * What one side has shown of itself. `partial`: packets without a SYN before them. `syn-sent` and `syn-ack-sent`
 * only of the originator: a responder that answers is established.
 */
type Side = 'inactive' | 'syn-sent' | 'syn-ack-sent' | 'partial' | 'established' | 'closed' | 'reset';

interface Sides {
  originator: Side;
  responder: Side;
  /** What each side was before its last change. */
  originatorWas: Side;
  responderWas: Side;
}

/** An originator's SYN that only a reset follows: no SYN/ACK of its own, no ACK, data, FIN, gap. */
const RESET_AFTER_SYN = /^S[^HAFGIQ]*R/;

/**
 * The state that Zeek would give the connection, from its history: the letters are replayed in their order, each
 * as the segment it stands for. Zeek repeats letters where we have each once; what a second SYN, FIN or RST of
 * the same side would have changed is not seen. null: the history is not known.
 */
export function connState({ history, fromClient, fromServer }: Connection): ConnState | null {
  if (history === '') return null;
  const { originator, responder } = replay(history);
  const noData = fromClient.payloadBytes === 0 && fromServer.payloadBytes === 0;
  const originatorSilent = originator === 'inactive' || originator === 'partial';
  const responderSilent = responder === 'inactive' || responder === 'partial';
  if (responder === 'reset') {
    if (originator === 'syn-sent' || originator === 'syn-ack-sent' || (originator === 'reset' && noData))
      return 'REJ';
    return originatorSilent ? 'RSTRH' : 'RSTR';
  }
  if (originator === 'reset') {
    if (!responderSilent) return 'RSTO';
    return RESET_AFTER_SYN.test(history.replaceAll('^', '')) ? 'RSTOS0' : 'OTH';
  }
  if (originator === 'closed' && responder === 'closed') return 'SF';
  if (originator === 'closed') return responderSilent ? 'SH' : 'S2';
  if (responder === 'closed') return originatorSilent ? 'SHR' : 'S3';
  if (originator === 'syn-sent' && responder === 'inactive') return 'S0';
  return originator === 'established' && responder === 'established' ? 'S1' : 'OTH';
}

function replay(history: string): Sides {
  const sides: Sides = {
    originator: 'inactive',
    responder: 'inactive',
    originatorWas: 'inactive',
    responderWas: 'inactive',
  };
  for (const letter of history) {
    const kind = letter.toUpperCase();
    if ('SHADFR'.includes(kind)) step(sides, kind, letter === kind);
  }
  return sides;
}

function step(sides: Sides, kind: string, byOriginator: boolean): void {
  const self = byOriginator ? sides.originator : sides.responder;
  const peer = byOriginator ? sides.responder : sides.originator;
  const become = (side: Side): void => change(sides, byOriginator, side);
  if (self === 'reset') return;
  if (self === 'closed') {
    // Of a connection that both have closed in order, a reset is only the tidying up.
    if (kind === 'R' && peer !== 'closed') become('reset');
    return;
  }
  if (kind === 'F') {
    become('closed');
    const peerWas = byOriginator ? sides.responderWas : sides.originatorWas;
    if (peer === 'reset' && peerWas === 'closed' && self !== 'inactive')
      change(sides, !byOriginator, 'closed');
  } else if (kind === 'R') {
    become('reset');
  } else if (self === 'inactive') {
    begin(sides, kind, byOriginator, peer);
  } else if (kind === 'S' && self === 'partial' && peer === 'inactive') {
    become('syn-sent');
  }
}

/** The first sign of life of a side, other than FIN and RST. */
function begin(sides: Sides, kind: string, byOriginator: boolean, peer: Side): void {
  const become = (side: Side): void => change(sides, byOriginator, side);
  if (kind === 'S' || kind === 'H') {
    if (byOriginator) {
      become(kind === 'S' ? 'syn-sent' : 'syn-ack-sent');
      return;
    }
    if (peer === 'syn-sent') change(sides, true, 'established');
    become('established');
    return;
  }
  // Some stacks acknowledge a SYN before they answer it.
  if (kind === 'A' && !byOriginator && peer === 'syn-sent') return;
  // The SYN is missing in the capture, the SYN/ACK is not: the connection stands all the same.
  become(peer === 'established' ? 'established' : 'partial');
}

function change(sides: Sides, originator: boolean, side: Side): void {
  if (originator) {
    sides.originatorWas = sides.originator;
    sides.originator = side;
  } else {
    sides.responderWas = sides.responder;
    sides.responder = side;
  }
}
