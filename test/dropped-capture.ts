import { conversation, START_NS } from '../fixtures/build/conversation.ts';
import {
  enhancedPacketBlock,
  interfaceBlock,
  sectionHeaderBlock,
  statisticsBlock,
  ticksOf,
} from '../fixtures/build/pcapng-blocks.ts';
import { packetsOf } from './pipeline-run.ts';

const MS = 1_000_000n;
const NANOSECONDS = { linkType: 1, resolution: 9 } as const;

function exchangeAt(name: string, ms: bigint, port: number) {
  const { segments } = conversation({
    client: { address: '10.0.0.1', port },
    startNs: START_NS + ms * MS,
  })
    .handshake()
    .fromClient(`GET /${name} HTTP/1.1\r\nHost: drops.test\r\n\r\n`)
    .wait(20)
    .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    .fin();
  return packetsOf(segments);
}

/**
 * A pcapng file of the exchanges /before, /during and /after, 100 ms apart; its statistics say that 3 packets were
 * dropped within the 100 ms of the second.
 */
export function droppedCapture(): Uint8Array {
  const packet = ({ frame, timeNs }: { frame: Uint8Array; timeNs: bigint }) =>
    enhancedPacketBlock('little', { frame, ticks: ticksOf(timeNs, NANOSECONDS) });
  const counter = (ms: bigint, interfaceDropped: bigint) =>
    statisticsBlock('little', { interfaceDropped, ticks: ticksOf(START_NS + ms * MS, NANOSECONDS) });
  return Buffer.concat([
    sectionHeaderBlock('little'),
    interfaceBlock('little', NANOSECONDS),
    ...exchangeAt('before', 0n, 1001).map(packet),
    counter(100n, 0n),
    counter(200n, 3n),
    ...exchangeAt('during', 100n, 1002).map(packet),
    ...exchangeAt('after', 201n, 1003).map(packet),
  ]);
}
