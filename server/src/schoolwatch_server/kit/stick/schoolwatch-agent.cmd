@echo off
rem The agent's own commands, as an administrator types them: doctor, bundle, explain, uninstall.
rem The dot: a path that ends with a backslash would take the closing quote into the word.
setlocal EnableExtensions DisableDelayedExpansion
"%~dp0python\python.exe" -I -X utf8 "%~dp0." %*
exit /b %ERRORLEVEL%
