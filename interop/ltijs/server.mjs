// A small real LTI 1.3 tool built on ltijs, used to try Invigilator against
// a library that many tools run in production. Everything but the page shown
// after a launch is what ltijs does by default.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import ltijs from 'ltijs'
import Database from 'ltijs-sequelize'

const lti = ltijs.Provider

const setting = (name, fallback) => process.env[name] || fallback

const port = Number(setting('PORT', '3000'))
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error(`PORT: not a port number: ${process.env.PORT}`)
  process.exit(2)
}

const platform = {
  url: setting('PLATFORM_ISSUER', 'https://platform.test'),
  name: 'Invigilator',
  clientId: setting('PLATFORM_CLIENT_ID', 'invigilator'),
  authenticationEndpoint: setting('PLATFORM_AUTH_URL', 'https://platform.test/auth?tenant=7'),
  accesstokenEndpoint: setting('PLATFORM_TOKEN_URL', 'http://localhost:8765/token'),
  authConfig: {
    method: 'JWK_SET',
    key: setting('PLATFORM_JWKS_URL', 'http://localhost:8765/jwks')
  }
}

// The other registrations that the features in invigilator.yaml are about.
const others = [
  {
    ...platform,
    clientId: setting('OTHER_CLIENT_ID', 'invigilator-2'),
    authenticationEndpoint: platform.authenticationEndpoint.replace('tenant=7', 'tenant=8')
  },
  {
    ...platform,
    url: setting('OTHER_PLATFORM_ISSUER', 'https://other-platform.test'),
    authenticationEndpoint: setting('OTHER_PLATFORM_AUTH_URL', 'https://other-platform.test/auth?tenant=7'),
    authConfig: { method: 'JWK_SET', key: setting('OTHER_PLATFORM_JWKS_URL', 'http://localhost:8765/other/jwks') }
  }
]

// The database lives as long as the process.
const directory = mkdtempSync(join(tmpdir(), 'invigilator-ltijs-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

let deployed = false
let stopping = false
const stop = async () => {
  if (stopping) return
  stopping = true
  try {
    if (deployed) await lti.close({ silent: true })
  } catch (err) {
    console.error(err)
    process.exit(1)
  }
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = value => String(value ?? '').replace(/[&<>"']/g, c => escapes[c])

const page = token => {
  const { roles, resource } = token.platformContext
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Resource</title>
<main id="resource">
<h1>${escape(resource?.title)}</h1>
<p>User: <span id="user">${escape(token.user)}</span></p>
<p>Name: ${escape(token.userInfo?.name)}</p>
<p>Roles:</p>
<ul>
${[].concat(roles ?? []).map(role => `<li>${escape(role)}</li>`).join('\n')}
</ul>
</main>
</html>
`
}

lti.setup(
  randomBytes(32).toString('hex'), // signs cookies, encrypts stored keys
  {
    plugin: new Database('ltijs', 'ltijs', 'ltijs', {
      dialect: 'sqlite',
      storage: join(directory, 'ltijs.sqlite'),
      logging: false
    })
  },
  {
    appRoute: '/',
    loginRoute: '/login',
    cookies: { secure: true, sameSite: 'None' },
    devMode: false
  }
)

lti.onConnect((token, req, res) => res.type('html').send(page(token)))

// ltijs-sequelize reports its migrations with console.info; keep them quiet.
// When ltijs cannot deploy, it prints why and calls process.exit() itself.
const { info } = console
console.info = () => {}
process.exitCode = 1
await lti.deploy({ port, silent: true })
process.exitCode = 0
console.info = info
deployed = true

// ltijs adds a SIGINT handler of its own; one orderly stop is enough.
process.removeAllListeners('SIGINT')
process.on('SIGINT', stop)

try {
  for (const one of [platform, ...others]) await lti.registerPlatform(one)
} catch (err) {
  console.error(err)
  process.exit(1)
}

console.log(`listening on http://localhost:${port}`)
