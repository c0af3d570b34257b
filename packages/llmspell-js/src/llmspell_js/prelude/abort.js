(function () { return { __proto__: null }; })
