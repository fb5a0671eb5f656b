import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Conversation, conversation, type Segment } from '../../fixtures/build/conversation.ts';
import { framesOf, WRAPPINGS, type WrappingName } from '../../fixtures/build/frames.ts';
import { buildCapture, buildInterface } from '../../test/build-exchange.ts';
import { type FedPacket, PipelineFeed } from '../../test/pipeline-run.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { ConnectionCensus } from './connection-census.ts';
import { diagnose } from './diagnose.ts';
import type { Evidence } from './evidence.ts';
import { FINDING_CODES, type FindingCode } from './finding.ts';
import { PacketCensus } from './packet-census.ts';
import { recapture } from './recapture.ts';
import { doctorJson } from './report-json.ts';
import { doctorText, verdictWord } from './report-text.ts';

const REQUEST = 'GET /thing HTTP/1.1\r\nHost: shop.test\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const NO_STYLE_TEXT = (text: string): string => text;
const STYLE = {
  bold: NO_STYLE_TEXT,
  dim: NO_STYLE_TEXT,
  red: NO_STYLE_TEXT,
  yellow: NO_STYLE_TEXT,
  green: NO_STYLE_TEXT,
  cyan: NO_STYLE_TEXT,
};

/** Packets with right checksums, unlike those that other tests feed. */
function packetsOf(segments: readonly Segment[], wrapping: WrappingName = 'ethernet'): FedPacket[] {
  const { linkType } = WRAPPINGS[wrapping];
  return framesOf(segments, wrapping).map((timed) => ({ ...timed, linkType }));
}

function clean(): Conversation {
  return conversation().handshake().fromClient(REQUEST).fromServer(ANSWER).ack('client').fin('both');
}

/** The evidence of packets as if they were one capture whose kernel counted its drops. */
function evidenceOf(packets: readonly FedPacket[], capture: Partial<CaptureFacts> = {}): Evidence {
  const census = new PacketCensus();
  const connections = new ConnectionCensus();
  const feed = new PipelineFeed({ observers: { onPacket: census.onPacket } });
  for (const packet of packets) feed.packet(packet);
  const result = feed.finish();
  for (const exchange of result.exchanges) connections.exchange(exchange);
  for (const connection of result.connections) connections.connection(connection);
  const facts = buildCapture({
    packets: packets.length,
    interfaces: [buildInterface({ name: 'eth3', dropped: 0, packets: packets.length })],
    ...capture,
  });
  const run = { clock: { epochSeconds: 1_700_000_000 }, captures: [facts], ledger: result.ledger };
  return { run, connections, packets: census };
}

const codesOf = (evidence: Evidence): FindingCode[] => diagnose(evidence).map(({ code }) => code);
const found = (evidence: Evidence, code: FindingCode): string | undefined =>
  diagnose(evidence).find((one) => one.code === code)?.severity;

describe('a capture without faults', () => {
  it('is called good, and nothing is said against it', () => {
    const evidence = evidenceOf(packetsOf(clean().segments));
    expect(codesOf(evidence)).toEqual([]);
    expect(verdictWord(diagnose(evidence))).toBe('good');
  });
});

describe('what is wrong with a capture', () => {
  it('says that only one direction is there, and which', () => {
    const packets = packetsOf(clean().segments.filter(({ fromClient }) => fromClient));
    const evidence = evidenceOf(packets);
    expect(found(evidence, 'one-sided')).toBe('problem');
    expect(diagnose(evidence)[0]?.what).toContain("only the clients' packets of 1 connection (100 %)");
  });

  it('says that connections had begun before it', () => {
    const script = conversation().handshake({ syn: false, synAck: false, ack: false });
    const evidence = evidenceOf(packetsOf(script.fromClient(REQUEST).fromServer(ANSWER).segments));
    expect(found(evidence, 'mid-stream')).toBe('warning');
  });

  it('says when packets are missing that were received', () => {
    const script = conversation().handshake().fromClient(REQUEST);
    script.fromServer('HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n');
    script.fromServer('x'.repeat(1400), { captured: false }).fromServer('y'.repeat(1600)).ack('client');
    expect(found(evidenceOf(packetsOf(script.segments)), 'packets-missing')).toBe('problem');
  });

  it('tells a snaplen that spares the heads from one that cuts them', () => {
    const script = conversation().handshake().fromClient(REQUEST);
    script.fromServer(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}`);
    const cutTo = (bytes: number): FedPacket[] =>
      packetsOf(script.segments).map((packet) => ({
        ...packet,
        frame: packet.frame.slice(0, bytes),
        originalBytes: packet.frame.length,
      }));
    expect(found(evidenceOf(cutTo(200)), 'cut-by-snaplen')).toBe('note');
    const cut = evidenceOf(cutTo(80));
    expect(found(cut, 'cut-by-snaplen')).toBe('problem');
    expect(diagnose(cut)[0]?.what).toContain('cut to 80 bytes');
  });

  it('counts what another interface had shown, by interface', () => {
    const packets = packetsOf(clean().segments);
    const both = packets.flatMap((packet) => [packet, { ...packet, interfaceNumber: 1 }]);
    const evidence = evidenceOf(both, {
      interfaces: [
        buildInterface({ name: 'veth1', dropped: 0 }),
        buildInterface({ number: 1, name: 'eth0', dropped: 0 }),
      ],
    });
    const finding = diagnose(evidence).find(({ code }) => code === 'duplicates');
    expect(finding?.what).toContain(
      `${packets.length} segments were seen before (${packets.length} on eth0)`,
    );
  });

  it('says that the kernel dropped packets, or that nobody knows', () => {
    const packets = packetsOf(clean().segments);
    const dropping = evidenceOf(packets, { interfaces: [buildInterface({ dropped: 3 })] });
    expect(found(dropping, 'kernel-drops')).toBe('problem');
    const silent = evidenceOf(packets, { interfaces: [buildInterface({ dropped: null })] });
    expect(codesOf(silent)).toEqual(['drops-unknown']);
  });

  it('sees a clock that is set back, and a silence', () => {
    const packets = packetsOf(clean().segments);
    const shifted = (from: number, ns: bigint): FedPacket[] =>
      packets.map((packet, index) => (index < from ? packet : { ...packet, timeNs: packet.timeNs + ns }));
    const back = diagnose(evidenceOf(shifted(4, -3_000_000_000n)));
    expect(back.find(({ code }) => code === 'clock-set-back')?.what).toContain(
      'goes back by 3.00 s at packet 5',
    );
    const pause = diagnose(evidenceOf(shifted(4, 7_200_000_000_000n)));
    expect(pause.find(({ code }) => code === 'silence')?.what).toContain('before packet 5');
  });

  it('tells checksums that a network card fills in from bytes that were changed', () => {
    const script = clean();
    const spoiled = (wrong: (fromClient: boolean, index: number) => boolean): FedPacket[] =>
      packetsOf(script.segments).map((packet, index) => {
        const frame = packet.frame.slice();
        // The TCP checksum of an Ethernet frame with a plain IPv4 header.
        if (wrong(script.segments[index]?.fromClient === true, index)) frame[14 + 20 + 17] ^= 0x55;
        return { ...packet, frame };
      });
    expect(found(evidenceOf(spoiled((fromClient) => fromClient)), 'checksum-offload')).toBe('note');
    const flows = Array.from({ length: 8 }, (_, index) =>
      packetsOf(
        conversation({ client: { address: `10.0.1.${index}`, port: 4000 } })
          .handshake()
          .fromClient(REQUEST).segments,
      ),
    ).flat();
    const changed = flows.map((packet, index) => {
      if (index % 5 !== 0) return packet;
      const frame = packet.frame.slice();
      frame[14 + 20 + 17] ^= 0x55;
      return { ...packet, frame };
    });
    expect(found(evidenceOf(changed), 'wrong-checksums')).toBe('warning');
  });

  it('sees segments that no link carries', () => {
    const script = conversation().handshake().fromClient(REQUEST);
    script.fromServer(`HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(40_000)}`);
    const evidence = evidenceOf(packetsOf(script.segments));
    expect(found(evidence, 'segmentation-offload')).toBe('note');
    const { commands } = recapture(evidence, diagnose(evidence));
    expect(commands[0]?.command).toBe('ethtool -K eth3 gro off lro off tso off gso off');
  });

  it('says how much is TLS, and where to look instead', () => {
    const hello = Uint8Array.of(22, 3, 1, 0, 5, 1, 0, 0, 1, 0);
    const evidence = evidenceOf(
      packetsOf(conversation().handshake().fromClient(hello).fromServer(hello).segments),
    );
    expect(found(evidence, 'tls')).toBe('warning');
    expect(found(evidence, 'no-http')).toBe('problem');
  });

  it('names the reasons for what could not be decoded', () => {
    const packets = packetsOf(clean().segments);
    const unknown = packets.map((packet) => ({ ...packet, linkType: 999 }));
    const evidence = evidenceOf([...packets, ...unknown]);
    const finding = diagnose(evidence).find(({ code }) => code === 'not-decoded');
    expect(finding?.what).toContain(`${packets.length} a link type that is not understood`);
    expect(found(evidenceOf([]), 'no-packets')).toBe('problem');
  });
});

describe('the next capture', () => {
  it('names interface, whole packets and the servers that were found', () => {
    const server = { address: '10.0.0.2', port: 8080 };
    const evidence = evidenceOf(
      packetsOf(conversation({ server }).handshake().fromClient(REQUEST).fromServer(ANSWER).segments),
    );
    const { commands } = recapture(evidence, diagnose(evidence));
    expect(commands.map(({ command }) => command)).toEqual([
      "tcpdump -i eth3 -n -s 0 -B 16384 --time-stamp-precision=nano -w better.pcap 'tcp port 8080'",
    ]);
  });

  it('follows tunnels and VLANs into the filter', () => {
    const wrapped = evidenceOf(packetsOf(clean().segments, 'vxlan'));
    expect(recapture(wrapped, diagnose(wrapped)).commands.at(-1)?.command).toContain(
      "'tcp port 80 or udp port 4789 or udp port 8472'",
    );
    const tagged = evidenceOf(packetsOf(clean().segments, 'vlan'));
    expect(recapture(tagged, diagnose(tagged)).commands.at(-1)?.command).toContain(
      "'tcp port 80 or (vlan and (tcp port 80))'",
    );
  });

  it('asks which interface when the capture does not say, without trusting hostile names', () => {
    const packets = packetsOf(clean().segments);
    const evidence = evidenceOf(packets, {
      interfaces: [buildInterface({ name: '$(reboot)\x1b[2J', dropped: 0 })],
    });
    const { commands } = recapture(evidence, diagnose(evidence));
    expect(commands[0]?.command).toBe('tcpdump -D');
    expect(commands[1]?.command).toContain('-i eth0 ');
  });
});

describe('the report', () => {
  it('fits into the width that it is given, and says the same as JSON', () => {
    const evidence = evidenceOf(packetsOf(clean().segments.slice(3)), { path: 'trace\x1b[31m.pcap' });
    const findings = diagnose(evidence);
    const report = { evidence, findings, recapture: recapture(evidence, findings) };
    const text = doctorText(report, 72, STYLE);
    expect(text).not.toContain('\x1b');
    const prose = text.split('\n').filter((line) => !line.startsWith('  tcpdump'));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(72);
    const json = JSON.parse(doctorJson(report)) as { verdict: string; findings: { code: string }[] };
    expect(json.verdict).toBe('usable');
    expect(json.findings.map(({ code }) => code)).toEqual(findings.map(({ code }) => code));
  });
});

describe('its page in docs/', () => {
  it('lists every finding that there is, in the same order', () => {
    const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...FINDING_CODES]);
  });
});
