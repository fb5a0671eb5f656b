// Rights: NET_RAW and nothing else.

import { badEnd } from './agreement.mjs';
import { startCapture, WIRELENS } from './capture.mjs';
import { exercise } from './exercise.mjs';
import { twoHosts } from './namespaces.mjs';
import { installed, start, succeeds } from './programs.mjs';

const NOBODY = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];
const NET_RAW = [
  ...NOBODY,
  '--inh-caps',
  '-all,+net_raw',
  '--ambient-caps',
  '-all,+net_raw',
  '--bounding-set',
  '-all,+net_raw',
];

async function rights(t) {
  const { lab, checks } = t;
  if (!installed('setpriv')) return checks.skip('rights', 'setpriv is not installed');
  if (!succeeds(...NOBODY, process.execPath, WIRELENS, '--version'))
    return checks.skip('rights', `the user nobody cannot start ${WIRELENS}`);
  const hosts = twoHosts(lab);
  const words = [...hosts.client.in, ...NOBODY, process.execPath, WIRELENS, 'capture', '-i', 'eth0'];
  const { code, stdout, stderr } = await start(words).ended;
  const lines = stderr.trim().split('\n');
  checks.report('without rights: one line that names CAP_NET_RAW', [
    ...(code === 0 || code === null ? [`it ended with ${code}`] : []),
    ...(lines.length === 1 ? [] : [`${lines.length} lines`]),
    ...(/CAP_NET_RAW/i.test(stderr) && /setcap|sudo|cap-add|capabilities/.test(stderr) ? [] : [stderr]),
    ...(stdout === '' ? [] : [`on standard output: ${stdout}`]),
  ]);
  for (const name of ['eth0', 'any']) {
    await exercise(t, `with CAP_NET_RAW alone, as nobody, on ${name}`, {
      ...hosts,
      words: ['-i', name],
      prefix: NET_RAW,
    });
  }
  // The kernel asks for no further right for the promiscuous membership of a packet socket.
  const capture = await startCapture(hosts.client, ['-i', 'eth0'], { prefix: NET_RAW });
  const during = promiscuity(hosts.client);
  const end = await capture.stop();
  const after = promiscuity(hosts.client);
  checks.report(`with CAP_NET_RAW alone: promiscuous mode for as long as it runs`, [
    ...badEnd(end),
    ...(during === 1 && after === 0 ? [] : [`promiscuity ${during} during and ${after} after the capture`]),
  ]);
}

function promiscuity(host) {
  return Number(/promiscuity (\d+)/.exec(host.ip('-d', 'link', 'show', 'eth0'))[1]);
}

export const scenarios = [{ name: 'rights', run: rights }];
