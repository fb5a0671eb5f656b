import { UserError } from '../../model/errors.ts';

/** One opened interface of the npm package `cap`, as far as it is used (cap 0.2.1, lib/Cap.js and src/binding.cc). */
export interface CapHandle {
  /**
   * Captures from now on. Packets are written over one another into `buffer`, which the package does not keep alive.
   *
   * @returns the link type: ETHERNET, NULL, RAW, LINKTYPE_LINUX_SLL, IEEE802_11_RADIO, `Unknown linktype 9`
   * @throws Error with libpcap's words
   */
  open(device: string, filter: string, bufferBytes: number, buffer: Uint8Array): string;
  /** `bytes` of the buffer hold a packet, until the listener returns. */
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): unknown;
  setMinBytes?(bytes: number): void;
  close(): unknown;
}

export interface CapPackage {
  readonly Cap: {
    new (): CapHandle;
    deviceList(): readonly { readonly name: string }[];
  };
}

/** Version that this was written for. */
const VERSION = '0.2.1';

/**
 * Loads the package, if the user has installed it where Wirelens is installed.
 *
 * @throws UserError when it is not there, or was not built
 */
export async function loadCap(): Promise<CapPackage> {
  // Not among our dependencies: it is built with a compiler. So its name must not be resolved by TypeScript.
  const name: string = 'cap';
  try {
    const { default: loaded } = (await import(name)) as { default: CapPackage };
    return loaded;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(
      'no-cap',
      isMissing
        ? 'the driver cap needs the npm package cap, which is not installed'
        : `the npm package cap cannot be loaded (${why})`,
      {
        hint: `it needs a C++ compiler, python3 and libpcap's headers: apt-get install g++ make python3 libpcap-dev, then npm install cap@${VERSION} beside Wirelens (with -g if Wirelens was installed so)`,
        cause: error,
      },
    );
  }
}
