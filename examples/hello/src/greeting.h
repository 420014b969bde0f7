/* What hello says; HELLO_VERSION comes from hello/__init__.py by way of the build. */
#define GREETING "Hello, world! This is hello " HELLO_VERSION ".\n"
