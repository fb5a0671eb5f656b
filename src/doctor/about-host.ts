import type { RunRecord } from '../model/sink.ts';
import { counted, formatCount, formatDuration } from '../report/units.ts';
import { type Add, interfaceName, nameAt, percent, sum } from './evidence.ts';
import type { PacketCensus } from './packet-census.ts';

export function aboutClocks(run: RunRecord, packets: PacketCensus, add: Add): void {
  for (const { capture, packet, stepNs } of packets.stepsBack) {
    add(
      'clock-set-back',
      'warning',
      `the clock goes back by ${formatDuration(-stepNs)} at packet ${formatCount(packet)} of ${nameAt(run, capture)}`,
      'durations across this place are wrong',
      'set the clock by slewing (chrony, ntpd -x); do not join captures by hand',
    );
  }
  const reversals = sum(run.captures, ({ timeReversals }) => timeReversals);
  if (reversals > packets.stepsBack.length) {
    add(
      'out-of-order-in-file',
      'note',
      `${counted(reversals, 'packet')} stand after a later one`,
      'nothing: packets are put in order by sequence and acknowledgement numbers',
    );
  }
  for (const { capture, packet, stepNs } of packets.silences) {
    add(
      'silence',
      'note',
      `nothing for ${formatDuration(stepNs)} before packet ${formatCount(packet)} of ${nameAt(run, capture)}`,
      'a pause, a stopped capture, or a clock that was set forward: durations across it may be wrong',
    );
  }
}

export function aboutHost(packets: PacketCensus, run: RunRecord, add: Add): void {
  const duplicates = [...packets.interfaces.values()].filter((one) => one.duplicates > 0);
  const copies = sum(duplicates, (one) => one.duplicates);
  if (copies > 0) {
    const where = duplicates
      .sort((a, b) => b.duplicates - a.duplicates)
      .slice(0, 4)
      .map((one) => `${formatCount(one.duplicates)} on ${interfaceName(run, one.number)}`)
      .join(', ');
    add(
      'duplicates',
      'note',
      `${counted(copies, 'segment')} were seen before (${where})`,
      'each counts once here; other tools count them as retransmissions',
      packets.interfaces.size > 1
        ? 'capture one interface instead of all'
        : 'a capture on any, or a mirror of both ends of a link: capture one interface or one end',
    );
  }
  aboutChecksums(packets, add);
  if (packets.oversizedSegments > 0 || packets.zeroLengths > 0) {
    const what =
      packets.zeroLengths > 0
        ? `${counted(packets.zeroLengths, 'packet')} with length 0`
        : `${counted(packets.oversizedSegments, 'packet')} longer than any link carries`;
    add(
      'segmentation-offload',
      'note',
      `${what}: segments are put together by the network card or the kernel (TSO, GRO)`,
      'sizes are right; times are those of the whole, and single retransmissions may be hidden',
      'for exact times switch it off while capturing: ethtool -K IF gro off lro off tso off gso off',
    );
  } else if (packets.longSegments > 0) {
    add(
      'long-packets',
      'note',
      `${counted(packets.longSegments, 'packet')} longer than 1,500 bytes: jumbo frames, or segments put together by the host`,
      'nothing, if it is jumbo frames',
    );
  }
}

function aboutChecksums({ checkedSegments, wrongChecksums, senders }: PacketCensus, add: Add): void {
  if (wrongChecksums === 0) return;
  const share = wrongChecksums / checkedSegments;
  const wrongOnly = [...senders.values()].filter(({ checked, wrong }) => wrong > 0 && wrong >= checked * 0.5);
  const explained = sum(wrongOnly, ({ wrong }) => wrong) >= wrongChecksums * 0.9;
  if (explained) {
    const who = wrongOnly.slice(0, 3).map(({ address }) => address);
    const more = wrongOnly.length > who.length ? ` and ${wrongOnly.length - who.length} more` : '';
    add(
      'checksum-offload',
      'note',
      `TCP checksums from ${who.join(', ')}${more} are wrong: the capture was taken where they are sent, and the network card works them out later`,
      'nothing, as checksums are not checked unless --checksums is given: do not give it',
    );
  } else {
    add(
      'wrong-checksums',
      'warning',
      `${percent(share)} of the TCP checksums looked at are wrong, from many senders`,
      'bytes were changed on the way or by a tool; damaged segments are used as they are',
      'compare with --checksums, which leaves such segments out',
    );
  }
}
