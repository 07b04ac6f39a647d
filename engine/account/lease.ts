/**
 * Who may write. The newest who opened the account under a name has the highest token of that name; every transaction first
 * looks whether that is still its own, and keeps it so until it ends. An old instance of a redeployed node is thus refused
 * and not merged; in a store of one Node-RED alone, where all have one name, so is a second Node-RED.
 */
import { AccountError } from '../model/errors.js';
import { type Lease, type SqlConnection, integer } from './store/connection.js';

/** The name under which the embedded store is opened. */
export const ONLY_WRITER = 'lease';

/** Takes the lease of that name from whoever has it. */
export async function takeLease(db: SqlConnection, name: string): Promise<Lease> {
  return db.transaction(async () => {
    await db.run(
      'INSERT INTO meta VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = meta.value + excluded.value',
      [name],
    );
    const [row] = await db.query('SELECT value FROM meta WHERE name = ?1', [name]);
    return { name, token: integer(row, 'value') };
  });
}

/** The connection under a lease: its transactions are refused once somebody else took that. */
export function leased(db: SqlConnection, lease: Lease): SqlConnection {
  const { name, token } = lease;
  const checked = async () => {
    const [row] = await db.query(`SELECT value FROM meta WHERE name = ?1${db.keepingRows}`, [name]);
    if (integer(row, 'value') !== token) throw fenced();
  };
  return {
    query: (sql, params) => db.query(sql, params),
    digestOfEach: (pages, sql) => db.digestOfEach(pages, sql),
    run: (sql, params) => db.run(sql, params),
    exec: (sql) => db.exec(sql),
    fill: (table, rows) => db.fill(table, rows),
    keepStaged: (batches) => db.keepStaged(batches),
    keepAtOnce: (run, batches) => db.keepAtOnce(run, batches, lease),
    dropStaged: (range) => db.dropStaged(range),
    openStaged: (range) => db.openStaged(range),
    fieldsOf: (key) => db.fieldsOf(key),
    listOf: (key) => db.listOf(key),
    recordOf: (key) => db.recordOf(key),
    filling: (tables, work) => db.filling(tables, work),
    nextKey: (...of) => db.nextKey(...of),
    analyze: (...tables) => db.analyze(...tables),
    keepingRows: db.keepingRows,
    shared: db.shared,
    ordersByKey: db.ordersByKey,
    close: () => db.close(),
    reading: (work) => db.reading(work),
    transaction: (work) => db.transaction(() => checked().then(work)),
    lightTransaction: (work) => db.lightTransaction(() => checked().then(work)),
    alone: (work) => db.alone(() => checked().then(work)),
  };
}

function fenced(): AccountError {
  return new AccountError('FENCED', {
    message:
      'The account was opened by another instance since: a newer deployment of this flow, or a second Node-RED with the same file (in PostgreSQL: with the same computer name, user directory and node). This one writes nothing any more. If it is the one that is to go on, deploy it again; give every Node-RED a file of its own, or keep the account in PostgreSQL.',
    status: 'opened elsewhere',
  });
}
