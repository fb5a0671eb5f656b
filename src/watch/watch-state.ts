import { describeError, UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import { isError } from './kept-exchanges.ts';
import type { Key } from './key.ts';
import { LineEditor, LineHistory } from './line-editor.ts';
import { Scroller } from './scroller.ts';
import { COLUMN_NAMES, naturalOrder, type SortOrder } from './sort-order.ts';
import { WatchView } from './watch-view.ts';
import { type RowFilter, WatchedRows } from './watched-rows.ts';

export interface WatchStateOptions {
  /** Latest exchanges that are kept. */
  readonly maxRows: number;
  /** Throws UserError with an excerpt for a mistake. */
  readonly parseFilter: (text: string) => RowFilter;
}

/** The filter line while it is being typed. */
export interface Prompt {
  readonly editor: LineEditor;
  /** What is wrong with it; gone when the text changes. */
  error: { readonly text: string; readonly mark: { start: number; end: number } | null } | null;
}

/** What the program around has to do after a key. */
export type WatchAction = 'quit' | 'suspend' | 'redraw' | null;

const EVERYWHERE: Readonly<Record<string, WatchAction>> = {
  'ctrl-c': 'quit',
  'ctrl-z': 'suspend',
  'ctrl-l': 'redraw',
};

/** Everything that a watch knows, changed by exchanges and keys alone: no clock, no terminal. */
export class WatchState {
  readonly #options: WatchStateOptions;
  readonly #history = new LineHistory();
  readonly #rows: WatchedRows;
  #order: SortOrder | null = null;
  #errorsOnly = false;
  #rowVersion = 0;
  /** The display is held because rows in sight would have been lost, not because the user asked for it. */
  #heldForReader = false;
  /** The rows that are looked at, and the selected one. */
  readonly view: WatchView;
  readonly scroller = new Scroller();
  filterText = '';
  prompt: Prompt | null = null;
  overlay: 'help' | 'messages' | null = null;
  /** The exchange that is shown in full. */
  detail: Exchange | null = null;
  /** Messages that were there when the user last looked at them; of many, older ones are dropped. */
  noticesRead: { readonly count: number; readonly last: string | undefined } = { count: 0, last: undefined };
  isStopping = false;

  constructor(options: WatchStateOptions) {
    this.#options = options;
    this.#rows = new WatchedRows(options.maxRows);
    this.view = new WatchView({ rows: this.#rows.shown, errorsOnly: false, order: null });
  }

  get errorsOnly(): boolean {
    return this.#errorsOnly;
  }

  /** Exchanges that came since the display was held; null: it is not held. */
  get newer(): number | null {
    return this.#rows.newer;
  }

  /** A new exchange. Constant cost, but for the filter. */
  add(exchange: Exchange): void {
    const passes = this.#rows.passes(exchange);
    const isInView = passes && (!this.#errorsOnly || isError(exchange));
    if (isInView && this.newer === null && this.view.isAboutToLose) this.#hold(true);
    this.#rowVersion += 1;
    this.#rows.add(exchange, passes);
  }

  /** The screen has room for `tableRows` rows, or for `pageLines` of the `lines` of what lies over them. */
  settle(room: { tableRows: number; pageLines: number; lines: number; nowMs: number }): void {
    if (this.newer === null) this.view.refresh(this.#rowVersion, room.nowMs);
    this.view.settle(room.tableRows);
    this.scroller.settle(room.lines, room.pageLines);
  }

  key(key: Key): WatchAction {
    if (key.kind === 'named' && Object.hasOwn(EVERYWHERE, key.name)) return EVERYWHERE[key.name];
    if (this.prompt !== null) {
      this.#promptKey(this.prompt, key);
      return null;
    }
    // A paste outside the prompt would be taken for commands.
    if (key.kind === 'paste') return null;
    const name = key.kind === 'named' ? key.name : key.text;
    if (this.overlay !== null) this.#overlayKey(name);
    else if (this.detail !== null) this.#detailKey(name);
    else if (name === 'q') return 'quit';
    else if (/^[1-9]$/.test(name)) this.#sortBy(COLUMN_NAMES[Number(name) - 1]);
    else if (!this.#moveKey(name)) this.#listKey(name);
    return null;
  }

  /** False: the key does not move the selection. */
  #moveKey(name: string): boolean {
    const { view } = this;
    switch (name) {
      case 'up':
      case 'k':
        view.move(-1);
        return true;
      case 'down':
      case 'j':
        view.move(1);
        return true;
      case 'page-up':
      case 'ctrl-b':
        view.page(-1);
        return true;
      case 'page-down':
      case 'ctrl-f':
        view.page(1);
        return true;
      case 'home':
      case 'g':
        view.first();
        return true;
      case 'end':
      case 'G':
        // Held only so that rows in sight were not lost: whoever goes to the end wants the newest.
        if (this.#heldForReader) this.#release();
        view.last();
        return true;
      default:
        return false;
    }
  }

  #listKey(name: string): void {
    switch (name) {
      case 'enter':
        this.#open(this.view.selected);
        break;
      case 's':
        this.#sort(this.#isSlowest ? null : naturalOrder('total'));
        break;
      case '0':
        this.#sort(null);
        break;
      case 'escape':
        this.#back();
        break;
      case 'e':
        this.#errorsOnly = !this.#errorsOnly;
        this.#choose();
        break;
      case 'p':
      case ' ':
        if (this.newer === null) this.#hold(false);
        else this.#release();
        break;
      case 'c':
        this.#rows.clear();
        this.#heldForReader = false;
        this.view.follows = true;
        this.#choose();
        break;
      case '/':
        this.prompt = { editor: new LineEditor(this.filterText, this.#history), error: null };
        break;
      default:
        this.#overlayFor(name);
    }
  }

  #detailKey(name: string): void {
    switch (name) {
      case 'n':
      case 'right':
        this.view.move(1);
        this.#open(this.view.selected);
        break;
      case 'p':
      case 'left':
        this.view.move(-1);
        this.#open(this.view.selected);
        break;
      case 'escape':
      case 'q':
      case 'enter':
      case 'backspace':
        this.detail = null;
        break;
      default:
        if (!this.scroller.key(name)) this.#overlayFor(name);
    }
  }

  #overlayKey(name: string): void {
    if (this.scroller.key(name)) return;
    if (['escape', 'q', 'enter', '?', 'h', 'm', 'backspace'].includes(name)) {
      this.overlay = null;
      this.scroller.start();
    }
  }

  #overlayFor(name: string): void {
    if (name === '?' || name === 'h') this.overlay = 'help';
    else if (name === 'm') this.overlay = 'messages';
    else return;
    this.scroller.start();
  }

  #promptKey(prompt: Prompt, key: Key): void {
    const name = key.kind === 'named' ? key.name : '';
    if (name === 'escape') this.prompt = null;
    else if (name === 'enter') this.#applyFilter(prompt);
    // As in vi and less: who takes back more than the last character takes back the prompt.
    else if (name === 'backspace' && prompt.editor.text === '') this.prompt = null;
    else {
      const { text } = prompt.editor;
      prompt.editor.key(key);
      if (prompt.editor.text !== text) prompt.error = null;
    }
  }

  #applyFilter(prompt: Prompt): void {
    const { text } = prompt.editor;
    const trimmed = text.trim();
    let filter: RowFilter | null = null;
    try {
      if (trimmed !== '') filter = this.#options.parseFilter(text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      prompt.error = { text: describeError(error), mark: error.excerpt };
      return;
    }
    if (trimmed !== '') this.#history.add(trimmed);
    this.prompt = null;
    this.filterText = trimmed;
    this.#rows.filter(filter);
    this.#choose();
  }

  get #isSlowest(): boolean {
    return this.#order?.column === 'total' && this.#order.descending;
  }

  #sortBy(column: SortOrder['column']): void {
    const same = this.#order?.column === column ? this.#order : null;
    this.#sort(same === null ? naturalOrder(column) : { column, descending: !same.descending });
  }

  /** Shows the first rows of the new order: they are what it was asked for. */
  #sort(order: SortOrder | null): void {
    this.#order = order;
    this.view.follows = true;
    this.#choose();
  }

  /** Esc undoes one thing: the order, then errors only, then the filter. */
  #back(): void {
    if (this.#order !== null) {
      this.#sort(null);
      return;
    }
    if (this.#errorsOnly) this.#errorsOnly = false;
    else if (this.#rows.isFiltered) {
      this.filterText = '';
      this.#rows.filter(null);
    }
    this.#choose();
  }

  #hold(forReader: boolean): void {
    this.#heldForReader = forReader;
    this.#rows.hold();
    this.#choose();
  }

  #release(): void {
    if (this.#heldForReader) this.view.follows = true;
    this.#heldForReader = false;
    this.#rows.release();
    this.#choose();
  }

  #open(exchange: Exchange | null): void {
    if (exchange === null) return;
    this.detail = exchange;
    this.scroller.start();
    // The list stays on what is being read.
    this.view.follows = false;
  }

  #choose(): void {
    this.view.choose({ rows: this.#rows.shown, errorsOnly: this.#errorsOnly, order: this.#order });
  }
}
