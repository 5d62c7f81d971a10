@echo off
rem Removes the SchoolWatch agent: right-click, Run as administrator. /delete-data deletes its data too.
call "%~dp0cai-dat.cmd" /uninstall %*
exit /b %ERRORLEVEL%
