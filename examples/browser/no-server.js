// SPDX-License-Identifier: MPL-2.0
// Stands in for Node.js's url module, which jszmq needs only to bind; no browser can.
