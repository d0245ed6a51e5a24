// Parse Server over a PostgreSQL, with two classes.
// node parse-server.mjs FOLDER-WITH-PARSE-SERVER CONFIG-JSON ; answers on 127.0.0.1 when it is ready.
// CONFIG: { port, database: a postgres:// URL, appId, restKey, masterKey, maintenanceKey }
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, config] = process.argv.slice(2);
const { port, database, appId, restKey, masterKey, maintenanceKey } = JSON.parse(config);
const require = createRequire(join(folder, 'package.json'));
const { ParseServer } = require('parse-server');
// The one that Parse Server itself is made with.
const express = createRequire(require.resolve('parse-server'))('express');

const server = new ParseServer({
  databaseURI: database,
  appId,
  restAPIKey: restKey,
  masterKey,
  maintenanceKey,
  serverURL: `http://127.0.0.1:${port}/parse`,
  allowClientClassCreation: true,
  logsFolder: null,
  silent: true,
});
await server.start();
const app = express();
app.use('/parse', server.app);
app.listen(port, '127.0.0.1');
