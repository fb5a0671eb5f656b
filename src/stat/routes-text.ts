import { jsonText } from '../model/json-text.ts';
import type { Style } from '../report/style.ts';
import { displayWidth, pad, sanitise, shorten } from '../report/terminal-text.ts';
import { counted, formatCount } from '../report/units.ts';
import { hostText, templateText } from './routes/dictionary-text.ts';
import type { RouteFacts } from './routes/learned-routes.ts';

export interface RoutesTextOptions {
  readonly width: number;
  readonly style: Style;
  /** Names at one place above which it is a parameter. */
  readonly budget: number;
}

/** Templates are padded to at most this, so that one long template does not push all comments away. */
const TEMPLATE_CELLS = 60;

/**
 * The routes as a dictionary that PinnedRoutes.parse reads: a template a line, with what was seen of it in a comment.
 * Targets that are no path cannot be pinned; they are comments.
 */
export function routesText(facts: readonly RouteFacts[], options: RoutesTextOptions): string[] {
  const { style, budget } = options;
  const requests = facts.reduce((sum, fact) => sum + fact.requests, 0);
  const hosts = new Set(facts.map(({ host }) => host)).size;
  const lines = [
    `# ${counted(facts.length, 'route')} of ${counted(hosts, 'host')}, from ${counted(requests, 'request')}; budget ${budget}.`,
    '# A template a line. Edit them and name this file with --routes-file: they win over what is learned.',
  ].map(style.dim);
  let host: string | null | undefined;
  const templates = facts.map(templateOf);
  const cells = Math.min(TEMPLATE_CELLS, Math.max(0, ...templates.map(displayWidth)));
  facts.forEach((fact, index) => {
    if (host !== fact.host) lines.push('');
    host = fact.host;
    const room = options.width - Math.max(cells, displayWidth(templates[index])) - 2;
    // Only comments are shortened: a template must stay what it is.
    const comment = style.dim(shorten(commentOf(fact), Math.max(24, room)));
    lines.push(`${pad(templates[index], cells)}  ${comment}`);
  });
  return lines;
}

function templateOf({ host, route }: RouteFacts): string {
  return route.startsWith('/')
    ? `${hostText(host)}${templateText(route)}`
    : `# ${hostText(host)} ${sanitise(route)}`;
}

function commentOf({ origin, requests, paths, morePaths, examples, route }: RouteFacts): string {
  const distinct = `${morePaths ? 'more than ' : ''}${counted(paths, 'path')}`;
  const parts = [counted(requests, 'request'), distinct];
  if (origin === 'pinned') parts.push('pinned');
  const isItself = examples.length === 1 && examples[0] === route;
  const shown = examples.map((example) => sanitise(example).replaceAll('#', ' '));
  const rest = paths > examples.length || morePaths ? ', …' : '';
  return `# ${parts.join(', ')}${isItself || shown.length === 0 ? '' : `: ${shown.join(', ')}${rest}`}`;
}

/** The routes as one JSON document, a line each. */
export function routesJson(facts: readonly RouteFacts[], budget: number): string {
  const lines = facts.map(({ host, route, origin, requests, paths, morePaths, examples }) =>
    jsonText({ host, route, origin, requests, paths, more_paths: morePaths, examples }),
  );
  return `{"budget":${budget},\n"routes":[${lines.map((line) => `\n${line}`).join(',')}\n]}\n`;
}

/** The routes as records of comma-separated values, names first. */
export function routeRecords(facts: readonly RouteFacts[]): readonly (string | number | null)[][] {
  return [
    ['host', 'route', 'origin', 'requests', 'paths', 'more_paths'],
    ...facts.map(({ host, route, origin, requests, paths, morePaths }) => [
      host,
      route,
      origin,
      requests,
      paths,
      morePaths ? 'yes' : 'no',
    ]),
  ];
}

/** What the reader of a list of routes should know beside it. */
export function routesNotes(routes: { readonly givenUp: number; readonly crowdedHosts: number }): string[] {
  const notes: string[] = [];
  if (routes.givenUp > 0) {
    notes.push(
      `${formatCount(routes.givenUp)} requests had paths for which there was no room to learn; their route is /…`,
    );
  }
  if (routes.crowdedHosts > 0) {
    const hosts =
      routes.crowdedHosts === 1 ? 'one host has' : `${formatCount(routes.crowdedHosts)} hosts have`;
    notes.push(`${hosts} more routes than the limit; the rarest are /…`);
  }
  return notes;
}
