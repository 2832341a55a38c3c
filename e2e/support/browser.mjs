#!/usr/bin/env node
// A browser that follows redirects, keeps cookies, and answers each form as LOGIN_AS would: BROWSER of `gateway login`.
const user = process.env.LOGIN_AS ?? "";
const cookies = new Map();

async function open(address, form) {
  const response = await fetch(address, {
    method: form ? "POST" : "GET",
    body: form,
    redirect: "manual",
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
  });
  for (const cookie of response.headers.getSetCookie()) {
    const [pair] = cookie.split(";");
    const at = pair.indexOf("=");
    cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const location = response.headers.get("location");
  const text = await response.text();
  if (location !== null) return open(new URL(location, address));
  const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1];
  if (action === undefined) return undefined;
  const fields = [...text.matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)];
  const answers = new URLSearchParams(fields.map(([, name, value]) => [name, value]));
  if (text.includes('name="login"')) answers.set("login", user);
  if (text.includes('name="password"')) answers.set("password", "any");
  return open(new URL(action, address), answers);
}

await open(process.argv[2]);
