import { UserError } from '../../model/errors.ts';
import type { CapHandle, CapPackage } from './cap-package.ts';
import { ANY, type LiveOptions } from './live-options.ts';

/** The package sets this snaplen and no other. */
export const CAP_SNAPLEN = 65_535;
/** The package takes a 32-bit number. */
const MOST_BUFFER_BYTES = 1024 * 1024 * 1024;

/** LINKTYPE_ numbers by the package's words. */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  IEEE802_11_RADIO: 127,
};

/**
 * Handles that failed to open. The package aborts the process when such a one is closed or collected, so that they are
 * kept; there are as many as interfaces that could not be opened.
 */
const halfOpen: CapHandle[] = [];

export interface CapOpening {
  readonly name: string;
  /** For libpcap; empty: everything. */
  readonly expression: string;
  /** Written into until the handle is closed; the caller keeps it for so long. */
  readonly buffer: Uint8Array;
  /** Of libpcap's buffer. */
  readonly bufferBytes: number;
}

/**
 * Opens an interface, without the expression where libpcap cannot say it there.
 *
 * @throws UserError `no-such-interface`, `no-capture-right`, `cap-refused`
 */
export function openHandle(
  loaded: CapPackage,
  opening: CapOpening,
): { readonly handle: CapHandle; readonly linkType: number } {
  const { name, expression, buffer } = opening;
  const handle = new loaded.Cap();
  let word: string;
  try {
    word = handle.open(name, expression, Math.min(opening.bufferBytes, MOST_BUFFER_BYTES), buffer);
  } catch (error) {
    halfOpen.push(handle);
    if (expression === '') throw openingFailed(loaded, name, error);
    return openHandle(loaded, { ...opening, expression: '' });
  }
  const linkType = LINK_TYPES[word];
  if (linkType !== undefined) return { handle, linkType };
  handle.close();
  throw new UserError('cap-refused', `the driver cap does not know the packets of ${name} (${word})`, {
    hint: 'use --driver afpacket, or tcpdump -w - | wirelens capture -',
  });
}

function openingFailed({ Cap }: CapPackage, name: string, error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  if (/permi(tted|ssion)/i.test(why)) {
    return new UserError('no-capture-right', `${name} cannot be captured: ${why}`, {
      hint: 'use sudo, or grant CAP_NET_RAW to node with setcap',
      cause: error,
    });
  }
  if (/no such device|doesn.t exist/i.test(why)) {
    const names = Cap.deviceList().map((device) => device.name);
    return new UserError('no-such-interface', `there is no interface ${name}`, {
      hint: `there are ${names.join(', ')}`,
      cause: error,
    });
  }
  return new UserError('cap-refused', `${name} cannot be captured: ${why}`, { cause: error });
}

/** What is lost against afpacket, a sentence each. */
export function shortcomingsOf(
  names: readonly string[],
  { snaplen, promiscuous, fanoutGroup }: LiveOptions,
): string[] {
  const lost = [
    'cap has no time stamps of the kernel: times are those at which packets reached this process, late by what it was busy',
    'cap does not tell what the kernel drops: packets may be missing without a word',
  ];
  if (names.includes(ANY)) lost.push('cap does not tell the interfaces of any apart');
  if (snaplen > CAP_SNAPLEN)
    lost.push('cap cuts packets to 65535 bytes, and does not tell how long they were');
  if (!promiscuous) lost.push('cap switches promiscuous mode on, whatever --no-promiscuous says');
  if (fanoutGroup !== undefined && fanoutGroup !== null)
    lost.push('cap cannot share packets with other processes: this one gets all of them');
  return lost;
}
