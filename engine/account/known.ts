/** Users whom the account knows from elsewhere than a directory. */
import type { SqlConnection } from './store/connection.js';
import { storable } from './texts.js';

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
  return db.alone(async () => {
    await db.exec(`
      CREATE TEMP TABLE IF NOT EXISTS known_user (
        nth INTEGER PRIMARY KEY, address TEXT NOT NULL, name TEXT NOT NULL, origin TEXT NOT NULL
      );
      DELETE FROM known_user;`);
    await db.fill(
      'known_user',
      known.map(({ address, name, origin }, nth) => [
        nth,
        storable(address.trim().toLowerCase()),
        storable(name ?? ''),
        origin,
      ]),
    );
    const added = await db.run(
      `INSERT INTO entry (key, kind, address, name, origin, enabled)
       SELECT -(k.value + row_number() OVER (ORDER BY n.nth)), 'user', n.address, n.name, n.origin, 1
       FROM known_user n CROSS JOIN meta k ON k.name = 'last_known'
       WHERE NOT EXISTS (SELECT 1 FROM address a WHERE a.kind = 'user' AND a.address = n.address)
         AND n.nth IN (SELECT min(m.nth) FROM known_user m GROUP BY m.address)`,
    );
    if (added > 0) {
      await db.run(
        `INSERT INTO address SELECT 'user', e.address, e.key, 1 FROM entry e
         WHERE e.key < -(SELECT value FROM meta WHERE name = 'last_known')`,
      );
      await db.run(`UPDATE meta SET value = value + ?1 WHERE name = 'last_known'`, [added]);
      await db.run(`UPDATE meta SET value = value + 1 WHERE name = 'fence'`);
    }
    return { added, known: known.length - added };
  });
}
