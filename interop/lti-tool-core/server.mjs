// A small real LTI 1.3 tool built on @lti-tool/core, used to try Invigilator
// against a library that keeps its sessions in URLs rather than in cookies.
// What is checked in a login or a launch is what @lti-tool/core does by default,
// and scores are sent by its own grade service.

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

const document = (title, main) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
${main}
</html>
`

const form = ({ id, services }, path, content) =>
  services?.ags && html`<form method="post" action="/${path}?ltiSessionId=${id}">${content}</form>`

const page = session => document('Resource', html`<main id="resource">
<h1>${session.resourceLink?.title}</h1>
<p>User: <span id="user">${session.user.id}</span></p>
<p>Name: ${session.user.name}</p>
<p>Roles:</p>
<ul>
${session.user.roles.map(role => html`<li>${role}</li>\n`)}</ul>
${session.isInstructor
    ? [
        html`<p id="teaches">You teach here.</p>`,
        form(session, 'rename', html`<label>Title <input name="label"></label> <button id="rename">Rename</button>`),
        form(session, 'results', html`<button id="read-results">Results</button>`)
      ]
    : form(session, 'submit', html`<textarea name="work"></textarea> <button id="submit">Hand in</button>`)}
</main>`)

// The launch names the line item, or it was made before, or it is made now. The
// library acts on the one that the session names.
const withLineItem = async session => {
  const { ags } = session.services
  if (ags.lineitem) return session
  const items = await lti.listLineItems(session)
  const item = items.find(({ resourceLinkId, tag }) => resourceLinkId === session.resourceLink.id && tag === 'work') ??
    await lti.createLineItem(session, { label: 'Work', scoreMaximum: 10, tag: 'work', resourceLinkId: session.resourceLink.id })
  return { ...session, services: { ...session.services, ags: { ...ags, lineitem: item.id } } }
}

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

// What is done at a line item of the launch, and the page that tells of it.
const atLineItem = (path, done, act) => app.post(`/${path}`, async c => {
  const id = c.req.query('ltiSessionId')
  const session = id && await lti.getSession(id)
  if (!session) return c.text('Open this from your platform.', 403)
  try {
    const told = await act(await withLineItem(session), await c.req.parseBody())
    return c.html(document(path, html`<main id="${done}">${told}</main>`))
  } catch (err) {
    return c.html(document(path, html`<main id="failed">Not done: ${err.message}</main>`))
  }
})

// A point for each word, at once: the library's scores have points.
atLineItem('submit', 'submitted', async (session, { work }) => {
  const scoreGiven = Math.min(work.trim().split(/\s+/).length, 10)
  await lti.submitScore(session, {
    userId: session.user.id,
    scoreGiven,
    scoreMaximum: 10,
    activityProgress: 'Completed',
    gradingProgress: 'FullyGraded'
  })
  return html`Your work is worth ${scoreGiven} of 10 points.`
})

atLineItem('rename', 'renamed', async (session, { label }) => {
  if (!session.isInstructor) throw new Error('only instructors may do that')
  const { id, resourceLinkId, ...known } = await lti.getLineItem(session)
  await lti.updateLineItem(session, { ...known, label })
  return html`It is called ${label} now.`
})

atLineItem('results', 'results', async session => {
  if (!session.isInstructor) throw new Error('only instructors may do that')
  const results = await lti.getScores(session)
  return html`<h1>Results</h1>
<ul>${results.map(({ userId, resultScore, resultMaximum }) =>
    html`<li>${userId}: ${resultScore} of ${resultMaximum ?? 1}</li>\n`)}</ul>`
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
