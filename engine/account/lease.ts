/**
 * Who may write. The newest who opened the account for itself has the highest token; every transaction first looks whether
 * that is still its own, so that an old instance of a redeployed node, or a second Node-RED, is refused and not merged.
 */
import { AccountError } from '../model/errors.js';
import { type SqlConnection, integer } from './store/connection.js';

const READ = `SELECT value FROM meta WHERE name = 'lease'`;

/** Takes the lease; from now on the connection's transactions are refused once somebody else took it. */
export async function leased(db: SqlConnection): Promise<SqlConnection> {
  const mine = await db.transaction(async () => {
    await db.run(`UPDATE meta SET value = value + 1 WHERE name = 'lease'`);
    const [row] = await db.query(READ);
    return integer(row, 'value');
  });
  return {
    query: (sql, params) => db.query(sql, params),
    run: (sql, params) => db.run(sql, params),
    exec: (sql) => db.exec(sql),
    runEach: (sql, rows) => db.runEach(sql, rows),
    close: () => db.close(),
    transaction: (work) =>
      db.transaction(async () => {
        const [row] = await db.query(READ);
        if (integer(row, 'value') !== mine) throw fenced();
        return work();
      }),
  };
}

function fenced(): AccountError {
  return new AccountError('FENCED', {
    message:
      'The account was opened by another instance since: a newer deployment of this flow, or a second Node-RED with the same file. This one writes nothing any more. If it is the one that is to go on, deploy it again; give every Node-RED a file of its own.',
    status: 'opened elsewhere',
  });
}
