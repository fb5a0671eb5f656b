/** One thing that a person did on the keyboard. */
export type Key =
  /** A character that can be typed: one code point, no control character. */
  | { readonly kind: 'character'; readonly text: string }
  /** Text that the terminal pasted (bracketed paste), as it was: control characters may be in it. */
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'named'; readonly name: KeyName };

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'delete'
  | 'backspace'
  | 'enter'
  | 'escape'
  | 'tab'
  | `ctrl-${string}`;

/** What a key input does for a program that draws on the whole screen. */
export interface ScreenGuard {
  /** Gives back the normal screen, at once: the process is about to stop, end or crash. May come twice. */
  leave(): void;
  /** Takes the screen again and draws everything. */
  enter(): void;
  /** The terminal has another size. */
  resized(): void;
}

/** Where keys come from; the real one is in terminal-keys.ts. */
export interface KeyInput {
  /** Calls back for each key, in order. One callback at a time. */
  onKey(callback: (key: Key) => void): void;
  /** Tells `screen` when the process is stopped, continued, ended or crashes. A fake one need not. */
  guard?(screen: ScreenGuard): void;
  /** Stops the process as the terminal's own Ctrl-Z would; returns when it goes on or cannot be stopped. */
  suspend?(): void;
  /** Sends the process the interrupt that Ctrl-C would be outside of raw mode. */
  interrupt?(): void;
  /** Gives the terminal its usual input mode back. May be called twice. */
  stop(): void;
}
