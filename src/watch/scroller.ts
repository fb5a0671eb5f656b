/** Which part of a text that is longer than the screen is seen. */
export class Scroller {
  #line = 0;
  #room = 0;
  #page = 1;

  /** First line that is seen. */
  get line(): number {
    return this.#line;
  }

  start(): void {
    this.#line = 0;
  }

  /** The text has so many lines, the screen has room for `page` of them. */
  settle(lines: number, page: number): void {
    this.#page = Math.max(1, page);
    this.#room = Math.max(0, lines - this.#page);
    this.#to(this.#line);
  }

  /** False: the key does not scroll. */
  key(name: string): boolean {
    const page = Math.max(1, this.#page - 1);
    switch (name) {
      case 'up':
      case 'k':
        this.#to(this.#line - 1);
        return true;
      case 'down':
      case 'j':
        this.#to(this.#line + 1);
        return true;
      case 'page-up':
      case 'ctrl-b':
        this.#to(this.#line - page);
        return true;
      case 'page-down':
      case 'ctrl-f':
      case ' ':
        this.#to(this.#line + page);
        return true;
      case 'home':
      case 'g':
        this.#to(0);
        return true;
      case 'end':
      case 'G':
        this.#to(this.#room);
        return true;
      default:
        return false;
    }
  }

  #to(line: number): void {
    this.#line = Math.max(0, Math.min(this.#room, line));
  }
}
