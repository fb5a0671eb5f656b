import { listInterfaces, type NetworkInterface } from '../../capture/live/interfaces.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { jsonText } from '../../model/json-text.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type Column, type Row, renderTable } from '../../report/text-table.ts';
import { writeAll } from '../stream-output.ts';
import { type ColorChoice, chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Options of `wirelens interfaces` as the command line gives them. */
export interface InterfacesFlags {
  readonly format: 'table' | 'json';
  readonly color: ColorChoice;
}

const COLUMNS: readonly Column[] = [
  { title: 'name' },
  { title: 'index', align: 'right', expendable: 3 },
  { title: 'state' },
  { title: 'type', expendable: 1 },
  { title: 'MTU', align: 'right', expendable: 2 },
  { title: 'addresses', shrinkTo: 15 },
  { title: 'capture' },
];

/**
 * Prints the interfaces that can be captured on.
 *
 * @returns the exit code
 */
export async function interfaces({ format, color }: InterfacesFlags): Promise<number> {
  const found = listInterfaces();
  if (found.length === 0) {
    throw new UserError('no-interface', 'no network interface is found', {
      hint:
        process.platform === 'linux'
          ? 'is /proc mounted here?'
          : 'elsewhere than on Linux, tcpdump -D and wirelens capture --driver cap know them',
    });
  }
  if (format === 'json') await writeAll(interfacesJson(found));
  else {
    const terminal = terminalFacts();
    const rows = [ANY_ROW, ...found.map(rowOf)];
    const width = chooseWidth(terminal, Number.POSITIVE_INFINITY);
    const lines = renderTable(COLUMNS, rows, width, chooseStyle(color, terminal), '');
    await writeAll(`${lines.join('\n')}\n`);
  }
  return EXIT.fine;
}

const ANY_ROW: Row = ['any', '', '', 'all of them', '', 'also those that come later', 'yes'];

function rowOf({ name, index, kind, mtu, addresses, ...state }: NetworkInterface): Row {
  return [
    sanitise(name),
    String(index),
    stateWord(state),
    kind,
    String(mtu),
    addresses.length === 0 ? '–' : addresses.map((address) => sanitise(address)).join(', '),
    state.up ? 'yes' : 'when it is up',
  ];
}

function stateWord({ up, running }: Pick<NetworkInterface, 'up' | 'running'>): string {
  if (!up) return 'down';
  return running ? 'up' : 'no carrier';
}

function interfacesJson(found: readonly NetworkInterface[]): string {
  const records = found.map(({ name, index, hardwareType, kind, up, running, loopback, mtu, addresses }) => ({
    name,
    index,
    state: stateWord({ up, running }),
    up,
    running,
    loopback,
    type: kind,
    hardware_type: hardwareType,
    mtu,
    addresses,
    can_capture: up,
  }));
  return `${jsonText([ANY_RECORD, ...records], 2)}\n`;
}

const ANY_RECORD = {
  name: 'any',
  index: null,
  state: null,
  up: null,
  running: null,
  loopback: null,
  type: null,
  hardware_type: null,
  mtu: null,
  addresses: [],
  can_capture: true,
};
