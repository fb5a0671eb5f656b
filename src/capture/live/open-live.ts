import { existsSync } from 'node:fs';
import { UserError } from '../../model/errors.ts';
import type { LiveSource } from '../../model/live.ts';
import { AfPacketSource } from './afpacket-source.ts';
import { listInterfaces } from './interfaces.ts';
import { ARCHITECTURES, type Libc, LibcError, libc } from './libc.ts';
import { ANY, type LiveOptions } from './live-options.ts';
import { LiveSocket, NoSuchInterface } from './live-socket.ts';
import { missingRight } from './missing-right.ts';

export { ANY, LIVE_DEFAULTS, type LiveOptions } from './live-options.ts';

/** AF_PACKET's ring cannot be used here, whoever asks: another driver may. */
const NO_AFPACKET = 'no-afpacket';
/** The socket, its version or its ring is refused for what the kernel is. */
const UNSUPPORTED = new Set([
  'EAFNOSUPPORT',
  'EPROTONOSUPPORT',
  'ESOCKTNOSUPPORT',
  'ENOPROTOOPT',
  'ENOSYS',
  'EOPNOTSUPP',
]);

/**
 * Begins to capture. Packets that pass the filter are taken from the moment at which this resolves, or a little
 * before. Rejects with UserError: `no-such-interface`, `no-capture-right`, `no-afpacket`, `ring-refused`, and what
 * the other driver has to say.
 */
export async function openLive(options: LiveOptions): Promise<LiveSource> {
  if (options.driver === 'cap') return await openCap(options);
  try {
    return openAfPacket(options);
  } catch (error) {
    const elsewhere = options.driver === 'auto' && error instanceof UserError && error.code === NO_AFPACKET;
    if (!elsewhere) throw error;
    options.onNotice({ code: 'driver-fallback', text: `${error.message}; trying the driver cap` });
    try {
      return await openCap(options);
    } catch (capError) {
      if (!(capError instanceof UserError)) throw capError;
      throw new UserError(
        NO_AFPACKET,
        `${error.message}, and the driver cap does not work either (${capError.message})`,
        {
          ...(capError.hint === null ? {} : { hint: capError.hint }),
          cause: capError,
        },
      );
    }
  }
}

async function openCap(options: LiveOptions): Promise<LiveSource> {
  const driver = await import('./cap-source.ts');
  return await driver.openCap(options);
}

function openAfPacket(options: LiveOptions): LiveSource {
  const named = [...new Set(options.interfaces)];
  const names = named.length === 0 || named.includes(ANY) ? null : named;
  const calls = callsOfTheKernel();
  let socket: LiveSocket;
  try {
    socket = new LiveSocket(calls, names, options);
  } catch (error) {
    throw asUserError(error);
  }
  return new AfPacketSource(socket, names === null ? ANY : names.join(', '), options);
}

function callsOfTheKernel(): Libc {
  if (process.platform !== 'linux') {
    throw new UserError(NO_AFPACKET, `the driver afpacket works on Linux only, not on ${process.platform}`);
  }
  if (!ARCHITECTURES.includes(process.arch)) {
    throw new UserError(NO_AFPACKET, `the driver afpacket does not know the processor ${process.arch}`);
  }
  try {
    return libc();
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(NO_AFPACKET, `koffi, which calls the kernel, cannot be loaded: ${why}`, {
      hint: 'install Wirelens again on this machine, with its optional packages',
      cause: error,
    });
  }
}

function asUserError(error: unknown): unknown {
  if (error instanceof NoSuchInterface) {
    const names = listInterfaces().map(({ name }) => name);
    return new UserError('no-such-interface', `there is no interface ${error.interfaceName}`, {
      hint: `there are ${[...names, ANY].join(', ')}`,
    });
  }
  if (!(error instanceof LibcError)) return error;
  const { call, code } = error;
  if (code === 'EPERM' || code === 'EACCES') {
    const { what, hint } = missingRight({
      node: process.execPath,
      root: process.getuid?.() === 0,
      kubernetes: process.env.KUBERNETES_SERVICE_HOST !== undefined,
      container: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    });
    return new UserError('no-capture-right', what, { hint, cause: error });
  }
  if (UNSUPPORTED.has(code) || (code === 'EINVAL' && call === 'socket')) {
    return new UserError(NO_AFPACKET, `this kernel has no packet ring of version 3 (${error.message})`, {
      hint: 'Linux 3.2 and later have it; tcpdump -i any -w - | wirelens capture - works anywhere',
      cause: error,
    });
  }
  return new UserError('ring-refused', `the kernel refuses to capture (${error.message})`, { cause: error });
}
