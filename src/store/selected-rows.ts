import { UserError } from '../model/errors.ts';
import type { Database, Statement } from './database.ts';
import { sqlError } from './query.ts';
import { RowValues } from './row-values.ts';
import { createViewSql, VIEWS } from './schema-views.ts';
import { damagedStore, isSqliteError, type StoreFile } from './store-file.ts';
import { EXCHANGE_COLUMNS } from './stored-exchanges.ts';

/** A condition over the columns of the view `exchanges`. */
export interface RowCondition {
  /** An SQL expression. */
  readonly text: string;
  /** For its `?`, in order. */
  readonly parameters: readonly (string | number | null)[];
  /** Called before the expression is prepared, for functions that it uses; once per file. */
  readonly prepare?: (database: Database) => void;
}

/**
 * The rows of exchange_rows in the order of their numbers. With a condition every row is looked at nevertheless:
 * how many exchanges of a connection have passed must be known, and a damaged file cannot hide an endless table
 * behind rows that are never shown.
 */
export class SelectedRows {
  readonly #file: StoreFile;
  readonly #scan: RowValues;
  /** Gives the whole row of a number; null: the scan does. */
  readonly #whole: RowValues | null;
  lastId = 0;
  connectionId = 0;
  selected = false;

  /** Throws UserError when the condition is wrong SQL, SqliteError for anything else. */
  constructor(file: StoreFile, where: RowCondition | null) {
    this.#file = file;
    const { database, path } = file;
    const values = (statement: Statement): RowValues => new RowValues(database, statement, path);
    if (where === null) {
      this.#scan = values(database.prepare(`SELECT ${EXCHANGE_COLUMNS} FROM exchange_rows ORDER BY id`));
      this.#whole = null;
    } else {
      this.#whole = values(database.prepare(`SELECT ${EXCHANGE_COLUMNS} FROM exchange_rows WHERE id = ?`));
      this.#scan = values(prepareCondition(file, where));
    }
  }

  /** Steps to the next row. False: there is none. */
  next(): boolean {
    if (!this.#step()) return false;
    const id = this.#scan.count(0);
    if (id <= this.lastId) throw damagedStore(this.#file.path, 'its exchanges are not in order');
    this.lastId = id;
    this.connectionId = this.#scan.count(1);
    this.selected = this.#whole === null || this.#scan.count(2) !== 0;
    return true;
  }

  /** The current row, of EXCHANGE_COLUMNS; only when it is selected. */
  row(): RowValues {
    const whole = this.#whole;
    if (whole === null) return this.#scan;
    whole.statement.reset();
    whole.statement.bindNumber(1, this.lastId);
    if (!whole.statement.step())
      throw damagedStore(this.#file.path, `exchange ${this.lastId} cannot be found`);
    return whole;
  }

  #step(): boolean {
    try {
      return this.#scan.statement.step();
    } catch (error) {
      // The condition may be at fault as well as the file.
      if (this.#whole !== null) throw conditionError(this.#file.path, error);
      throw error;
    }
  }

  finalize(): void {
    this.#scan.statement.finalize();
    this.#whole?.statement.finalize();
  }
}

/** Our own view takes the place of the file's, which could be anything. */
function prepareCondition({ database, path }: StoreFile, where: RowCondition): Statement {
  for (const view of VIEWS)
    if (view.name === 'exchanges')
      database.run(createViewSql(view).replace('CREATE VIEW', 'CREATE TEMP VIEW IF NOT EXISTS'));
  try {
    where.prepare?.(database);
    const statement = database.prepare(
      `SELECT id, connection_id, (${where.text}) IS TRUE FROM exchanges ORDER BY id`,
    );
    where.parameters.forEach((value, index) => {
      statement.bind(index + 1, value);
    });
    return statement;
  } catch (error) {
    throw conditionError(path, error);
  }
}

function conditionError(path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const { code, message } = sqlError(path, error);
  return new UserError(code, message, { place: { file: path }, cause: error });
}
