// A small real LTI 1.3 tool built on @lti-tool/core, used to try Invigilator
// against a library that keeps its sessions in URLs rather than in cookies.
// What is checked in a login or a launch is what @lti-tool/core does by default.

import { randomBytes, randomUUID } from 'node:crypto'

import { serve } from '@hono/node-server'
import * as esbuild from 'esbuild'
import { Hono } from 'hono'
import { html } from 'hono/html'

// Some modules of @lti-tool/core 1.0.6 import others without file extensions,
// which Node.js does not resolve, but bundlers do.
const bundle = await esbuild.build({
  entryPoints: ['@lti-tool/core'],
  absWorkingDir: import.meta.dirname,
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false
})
await esbuild.stop()
const { LTI13LaunchSchema, LTI13LoginSchema, LTITool } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
)

const setting = (name, fallback) => process.env[name] || fallback

const port = Number(setting('PORT', '3001'))
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error(`PORT: not a port number: ${process.env.PORT}`)
  process.exit(2)
}
const origin = `http://localhost:${port}`

const platform = {
  name: 'Invigilator',
  iss: setting('PLATFORM_ISSUER', 'https://platform.test'),
  clientId: setting('PLATFORM_CLIENT_ID', 'invigilator'),
  authUrl: setting('PLATFORM_AUTH_URL', 'https://platform.test/auth?tenant=7'),
  tokenUrl: setting('PLATFORM_TOKEN_URL', 'http://localhost:8765/token'),
  jwksUrl: setting('PLATFORM_JWKS_URL', 'http://localhost:8765/jwks')
}
const deploymentIds = setting('PLATFORM_DEPLOYMENT_IDS', 'deployment-1,deployment-2').split(',')

// The other registrations that the features in invigilator.yaml are about.
const registrations = [
  platform,
  { ...platform, clientId: setting('OTHER_CLIENT_ID', 'invigilator-2'), authUrl: platform.authUrl.replace('tenant=7', 'tenant=8') },
  {
    ...platform,
    iss: setting('OTHER_PLATFORM_ISSUER', 'https://other-platform.test'),
    authUrl: setting('OTHER_PLATFORM_AUTH_URL', 'https://other-platform.test/auth?tenant=7'),
    jwksUrl: setting('OTHER_PLATFORM_JWKS_URL', 'http://localhost:8765/other/jwks')
  }
]

// The methods of the library's LTIStorage that this tool needs, as their
// documentation describes them; the data lives as long as the process.
class MemoryStorage {
  #clients = new Map()
  #deployments = []
  #nonces = new Map()
  #sessions = new Map()

  async addClient(client) {
    const id = randomUUID()
    this.#clients.set(id, client)
    return id
  }

  async addDeployment(clientId, deployment) {
    const id = randomUUID()
    this.#deployments.push({ ...deployment, id, client: this.#clients.get(clientId) })
    return id
  }

  async getLaunchConfig(iss, clientId, deploymentId) {
    const deployment = this.#deployments.find(d =>
      d.client.iss === iss && d.client.clientId === clientId && d.deploymentId === deploymentId)
    return deployment && { ...deployment.client, deploymentId }
  }

  async storeNonce(nonce, expiresAt) {
    this.#nonces.set(nonce, expiresAt)
  }

  async validateNonce(nonce) {
    const expiresAt = this.#nonces.get(nonce)
    this.#nonces.delete(nonce)
    return expiresAt !== undefined && expiresAt > new Date()
  }

  async addSession(session) {
    this.#sessions.set(session.id, session)
    return session.id
  }

  async getSession(id) {
    return this.#sessions.get(id)
  }
}

const lti = new LTITool({
  stateSecret: randomBytes(32),
  keyPair: await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256'
    },
    true,
    ['sign', 'verify']
  ),
  storage: new MemoryStorage()
})
for (const registration of registrations) {
  const client = await lti.addClient(registration)
  for (const deploymentId of deploymentIds) await lti.addDeployment(client, { deploymentId })
}

const page = ({ resourceLink, user }) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Resource</title>
<main id="resource">
<h1>${resourceLink?.title}</h1>
<p>User: <span id="user">${user.id}</span></p>
<p>Name: ${user.name}</p>
<p>Roles:</p>
<ul>
${user.roles.map(role => html`<li>${role}</li>\n`)}</ul>
</main>
</html>
`

const app = new Hono()

app.on(['GET', 'POST'], '/lti/login', async c => {
  try {
    const params = c.req.method === 'GET' ? c.req.query() : await c.req.parseBody()
    const login = LTI13LoginSchema.parse(params)
    return c.redirect(await lti.handleLogin({ ...login, launchUrl: `${origin}/lti/launch` }))
  } catch (err) {
    return c.text(err.message, 400)
  }
})

app.post('/lti/launch', async c => {
  try {
    const { id_token, state } = LTI13LaunchSchema.parse(await c.req.parseBody())
    const session = await lti.createSession(await lti.verifyLaunch(id_token, state))
    const target = new URL(session.launch.target)
    target.searchParams.set('ltiSessionId', session.id)
    return c.redirect(target.href)
  } catch (err) {
    return c.text(err.message, 401)
  }
})

app.get('/lti/jwks', async c => c.json(await lti.getJWKS()))

app.get('/resource', async c => {
  const id = c.req.query('ltiSessionId')
  const session = id && await lti.getSession(id)
  return session ? c.html(page(session)) : c.text('Open this from your platform.', 403)
})

const server = serve({ fetch: app.fetch, port }, () => console.log(`listening on ${origin}`))
server.on('error', err => {
  console.error(err.message)
  process.exit(1)
})

const stop = () => {
  server.close(() => process.exit(0))
  server.closeAllConnections()
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
