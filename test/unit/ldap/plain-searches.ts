/** A program: searches with plain ldapts, one connection for each, and says after each that it is still there. */
import { Client } from 'ldapts';

async function main(): Promise<void> {
  const [port = '', count = ''] = process.argv.slice(2);
  for (let number = 0; number < Number(count); number += 1) {
    const client = new Client({ url: `ldap://127.0.0.1:${port}`, timeout: 50, connectTimeout: 1_000 });
    await client.bind('CN=Reader', 'secret').catch(() => undefined);
    await client.search('DC=example,DC=test').catch(() => undefined);
    void client.unbind().catch(() => undefined);
    process.send?.(number);
  }
}

void main().then(() => process.exit(0));
