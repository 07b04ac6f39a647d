/** Users whom the account knows from elsewhere than a directory. */
import type { SqlConnection } from './store/connection.js';

export interface KnownUser {
  readonly address: string;
  readonly name?: string;
  readonly origin: 'manual' | 'mail-flow';
}

/** Adds those whose address nobody has. Says how many were added, and how many addresses were known already. */
export async function addKnownUsers(
  db: SqlConnection,
  known: readonly KnownUser[],
): Promise<{ added: number; known: number }> {
  return db.transaction(async () => {
    let added = 0;
    for (const { address, name, origin } of known) {
      const lower = address.trim().toLowerCase();
      const free = await db.query(`SELECT 1 AS taken FROM address WHERE kind = 'user' AND address = ?1`, [lower]);
      if (free.length > 0) continue;
      await db.run(`UPDATE meta SET value = value + 1 WHERE name = 'last_known'`);
      await db.run(
        `INSERT INTO entry (key, kind, address, name, origin, enabled)
         SELECT -value, 'user', ?1, ?2, ?3, 1 FROM meta WHERE name = 'last_known'`,
        [lower, name ?? '', origin],
      );
      await db.run(`INSERT INTO address SELECT 'user', ?1, -value, 1 FROM meta WHERE name = 'last_known'`, [lower]);
      added += 1;
    }
    if (added > 0) await db.run(`UPDATE meta SET value = value + 1 WHERE name = 'fence'`);
    return { added, known: known.length - added };
  });
}
