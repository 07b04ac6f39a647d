/** The account's own tests, on PostgreSQL: the very same, read here a second time. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type TestPostgres, startPostgres } from '../support/postgres.js';

const load = createRequire(__filename);
const FOLDER = join(__dirname, '..', 'unit', 'account');
/** What speaks of the embedded store's file, or of no store at all. */
const OTHERS = new Set(['store', 'io', 'crash', 'oracle', 'portable']);
const SUITES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.test.js') && !OTHERS.has(file.replace('.test.js', '')))
  .sort();

describe('an account in PostgreSQL', function () {
  this.timeout(180_000);
  let postgres: TestPostgres;
  before(async () => {
    postgres = await startPostgres();
    process.env['ACCOUNT_STORE'] = postgres.url;
  });
  after(async () => {
    delete process.env['ACCOUNT_STORE'];
    await postgres.stop();
  });

  for (const suite of SUITES) load(join(FOLDER, suite));
});
